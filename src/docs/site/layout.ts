/** The frame of every page of the documentation: head, side bar, contents, and the links to the page before and after. No effects. */
import { html, raw } from "hono/html";
import type { Page, PageGroup } from "./guides.ts";
import type { Html } from "./parts.ts";

/** What each page loads: addresses of the built files. */
export interface BuiltFiles {
  script: string;
  style: string;
}

export interface Frame {
  groups: PageGroup[];
  files: BuiltFiles;
}

export const addressOf = ({ path }: Pick<Page, "path">): string => (path === "" ? "/docs" : `/docs/${path}`);

export function layout(page: Page, { groups, files }: Frame): Html {
  const all = groups.flatMap(({ pages }) => pages);
  const place = all.findIndex(({ path }) => path === page.path);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content="${page.summary}" />
        <title>${page.path === "" ? "Parley documentation" : `${page.title} · Parley`}</title>
        <link rel="stylesheet" href="${files.style}" />
        <script type="module" src="${files.script}"></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        ${header()}
        <div class="page">
          ${sideBar(page, groups)}
          <main id="content" tabindex="-1">
            <article>${raw(page.html)}</article>
            ${neighbours(all[place - 1], all[place + 1])}
          </main>
          ${contents(page)}
        </div>
      </body>
    </html>`;
}

const header = (): Html =>
  html`<header>
    <a class="home" href="/docs">Parley<span>.</span></a>
    <div class="search" data-index="/docs/search.json"></div>
    <a href="/console">Console</a>
    <a href="/openapi.json">OpenAPI</a>
  </header>`;

function sideBar(current: Page, groups: PageGroup[]): Html {
  return html`<nav class="side" aria-label="Documentation">
    <details open>
      <summary>All pages</summary>
      ${groups.map(
        ({ title, pages }) =>
          html`<p>${title}</p>
            <ul>
              ${pages.map((page) => html`<li>${sideLink(page, current)}</li>`)}
            </ul>`,
      )}
    </details>
  </nav>`;
}

/** A page that only another one lists marks that one. */
function sideLink(page: Page, current: Page): Html {
  const isCurrent = page.path === current.path || (page.path !== "" && current.path.startsWith(`${page.path}/`));
  return html`<a href="${addressOf(page)}" ${isCurrent ? raw('aria-current="page"') : ""}>${page.title}</a>`;
}

function contents({ headings }: Page): Html | "" {
  if (headings.length < 2) return "";
  return html`<nav class="contents" aria-label="On this page">
    <p>On this page</p>
    <ul>
      ${headings.map(({ level, text, id }) => html`<li class="level-${level}"><a href="#${id}">${text}</a></li>`)}
    </ul>
  </nav>`;
}

function neighbours(before: Page | undefined, after: Page | undefined): Html {
  return html`<nav class="neighbours" aria-label="Previous and next page">
    ${before ? html`<a rel="prev" href="${addressOf(before)}"><small>Previous</small> ${before.title}</a>` : html`<span></span>`}
    ${after ? html`<a rel="next" href="${addressOf(after)}"><small>Next</small> ${after.title}</a>` : ""}
  </nav>`;
}
