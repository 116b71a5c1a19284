/** The first page of the documentation: three calls that work, and a way to every group of pages. No effects. */
import { html, raw } from "hono/html";
import type { Page, PageGroup } from "./guides.ts";
import { addressOf } from "./layout.ts";
import { codeBlock } from "./parts.ts";

/** The README shows the same calls, and a test makes them. */
const FIRST_CALLS = `export PARLEY='http://localhost:8787' AUTH='authorization: Bearer parley-dev' JSON='content-type: application/json'

curl "$PARLEY/me" -H "$AUTH"
curl "$PARLEY/v1/llm_endpoints" -H "$AUTH"`;

export async function overviewPage(groups: PageGroup[]): Promise<Page> {
  const body = html`<h1>Parley documentation</h1>
    <p class="lead">
      Sessions with language models, at the edge: chats between clients and chatbots, and one prompt put to many
      endpoints, with the answers side by side.
    </p>
    <p>A local start (<code>npm start</code>) has endpoints and chatbots to talk to, and this token:</p>
    ${raw(codeBlock(FIRST_CALLS, "sh"))}
    <p>
      To look before you read, open the <a href="/console">console</a>. For programs, the whole API is in
      <a href="/openapi.json">openapi.json</a>.
    </p>
    ${groups.map(
      ({ title, pages }) =>
        html`<h2 id="${anchorOf(title)}">${title}</h2>
          <ul class="cards">
            ${pages.map(
              (page) =>
                html`<li>
                  <a href="${addressOf(page)}">${page.title}</a>
                  <p>${page.summary}</p>
                </li>`,
            )}
          </ul>`,
    )}`;
  return {
    path: "",
    title: "Overview",
    summary: "Guides and API reference of Parley: sessions with language models, at the edge.",
    html: String(await body),
    headings: groups.map(({ title }) => ({ level: 2, text: title, id: anchorOf(title) })),
  };
}

const anchorOf = (title: string): string => title.toLowerCase().replaceAll(" ", "-");
