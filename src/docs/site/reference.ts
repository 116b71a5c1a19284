/**
 * The API reference: a page for each tag of the OpenAPI document, and one with its schemas. What the document says does not
 * belong here. No effects.
 */
import { html, raw } from "hono/html";
import GithubSlugger from "github-slugger";
import type { Page, PageGroup } from "./guides.ts";
import { renderInline } from "./markdown.ts";
import { headingOf } from "./openapi.ts";
import type { ApiDocument, PathOperation } from "./openapi.ts";
import { operationSection } from "./operation.ts";
import { codeBlock, fieldTable } from "./parts.ts";
import type { Html } from "./parts.ts";

/** @returns the pages of the reference, in the order of the document's tags */
export async function referencePages(document: ApiDocument): Promise<PageGroup> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const pages = document.tags.map(async (tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag.name));
    return tagPage(tag, own);
  });
  return { title: "API reference", pages: [...(await Promise.all(pages)), await schemasPage(document)] };
}

async function tagPage(tag: ApiDocument["tags"][number], operations: PathOperation[]): Promise<Page> {
  const body = html`<h1>${tag.name}</h1>
    <p>${raw(renderInline(tag.description))}.</p>
    ${operations.map(operationSection)}`;
  return {
    path: `reference/${new GithubSlugger().slug(tag.name.replaceAll(".", "-"))}`,
    title: tag.name,
    summary: `${tag.description}.`,
    html: String(await body),
    headings: operations.map(({ operation }) => ({
      level: 2,
      text: headingOf(operation).replaceAll("`", ""),
      id: operation.operationId,
    })),
  };
}

async function schemasPage({ components }: ApiDocument): Promise<Page> {
  const sections = Object.entries(components.schemas).map(
    async ([name, schema]): Promise<Html> =>
      html`<h2 id="${name}"><a class="anchor" href="#${name}">${name}</a></h2>
        ${await fieldTable(schema)}
        <details>
          <summary>JSON Schema</summary>
          ${raw(codeBlock(JSON.stringify(schema, null, 2), "json"))}
        </details>`,
  );
  const body = html`<h1>Schemas</h1>
    <p>
      What several operations take or answer. For programs, all of it is in <a href="/openapi.json">openapi.json</a>.
    </p>
    ${await Promise.all(sections)}`;
  return {
    path: "reference/schemas",
    title: "Schemas",
    summary: "What several operations take or answer.",
    html: String(await body),
    headings: Object.keys(components.schemas).map((name) => ({ level: 2, text: name, id: name })),
  };
}
