/**
 * The OpenAPI document as an HTML page: one section for each operation, grouped by tag, then the schemas. No script,
 * and nothing loaded from another site. What the document says does not belong here.
 */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { serverSentEvent } from "../../live/streaming/events.ts";
import type { StreamEvent } from "../../live/streaming/event-schemas.ts";

interface Document {
  info: { title: string; summary: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters: { name: string; in: string; required: boolean; description?: string; schema: unknown }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
  "x-codeSamples"?: { source: string }[];
  "x-examples-from-server"?: unknown[];
  "x-examples-from-client"?: unknown[];
}

interface Content {
  schema?: unknown;
  example?: unknown;
  /** Events of a stream. */
  examples?: Record<string, { value: StreamEvent }>;
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** `secure-headers.ts` allows the page this style, by its hash. */
const STYLE = `
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
  nav ul { columns: 2; padding-left: 1.2rem; } h2 { margin-top: 3rem; } h3 { margin: 2rem 0 .2rem; font-size: 1rem; }
  h3 code { font-size: 1.05rem; } pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: 6px; }
  code, pre { font: .85rem/1.45 ui-monospace, monospace; } table { border-collapse: collapse; }
  td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
  .method { display: inline-block; min-width: 3.8rem; font-weight: 700; } summary { cursor: pointer; }
`;

export function docsPage(document: unknown): Html {
  const { info, tags, paths, components } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const operationsOf = (tag: string) => operations.filter(({ operation }) => operation.tags.includes(tag));
  return html`<!doctype html>
    <html lang="en">
      ${pageHead(info.title)}
      <body>
        ${introduction(info)}
        <nav>
          ${tags.map(
            ({ name }) =>
              html`<strong>${name}</strong>
                <ul>
                  ${operationsOf(name).map(link)}
                </ul>`,
          )}
        </nav>
        ${tags.map(
          ({ name, description }) =>
            html`<h2>${name}</h2>
              <p>${description}</p>
              ${operationsOf(name).map(section)}`,
        )}
        <h2>Schemas</h2>
        ${Object.entries(components.schemas).map(([name, schema]) => collapsible(name, schema, `schema-${name}`))}
      </body>
    </html>`;
}

const introduction = ({ title, summary }: Document["info"]): Html =>
  html`<h1>${title}</h1>
    <p>
      ${summary}. Send <code>Authorization: Bearer &lt;token&gt;</code> with every call. Where a browser cannot send a
      header, for an <code>EventSource</code> or a <code>WebSocket</code>, use a ticket: <code>POST …/tickets</code>,
      and then <code>?ticket=</code>. For programs: <a href="/openapi.json">openapi.json</a>.
    </p>
    <p>
      Pages of a browser can call only from an origin in <code>ALLOWED_ORIGINS</code>. In the lines for the shell,
      <code>$PARLEY</code> is the address of the server and <code>$KEY</code> the token.
    </p>`;

const pageHead = (title: string): Html =>
  html`<head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}: the API</title>
    ${raw(`<style>${STYLE}</style>`)}
  </head>`;

interface PathOperation {
  path: string;
  method: string;
  operation: Operation;
}

const link = ({ path, method, operation }: PathOperation): Html =>
  html`<li>
    <a href="#${operation.operationId}"><code>${method} ${path}</code></a>
  </li>`;

function section({ path, method, operation }: PathOperation): Html {
  const body = operation.requestBody?.content["application/json"];
  return html`<section id="${operation.operationId}">
    <h3>
      <code><span class="method">${method}</span> ${path}</code>
    </h3>
    <p>${operation.summary}${operation.description === undefined ? "" : `. ${operation.description}`}</p>
    ${operation.parameters.length > 0 ? parameterTable(operation) : ""}
    ${
      body?.example === undefined
        ? ""
        : html`<p>Body, for example:</p>
            ${code(body.example)}`
    }
    ${body ? collapsible("Schema of the body", body.schema) : ""}
    ${frames("Frames from the client, for example", operation["x-examples-from-client"])}
    ${frames("Frames from the server, for example", operation["x-examples-from-server"])}
    ${operation["x-codeSamples"]?.map(({ source }) => code(source)) ?? ""}
    <table>
      ${Object.entries(operation.responses).map(
        ([status, { description }]) =>
          html`<tr>
            <td><code>${status}</code></td>
            <td>${description}</td>
          </tr>`,
      )}
    </table>
    ${Object.values(operation.responses).flatMap(({ content = {} }) => Object.values(content).map(responseExample))}
  </section>`;
}

const frames = (title: string, examples?: unknown[]): Html | "" =>
  examples
    ? html`<p>${title}:</p>
        ${code(examples.map((example) => JSON.stringify(example)).join("\n"))}`
    : "";

const parameterTable = ({ parameters }: Operation): Html =>
  html`<table>
    ${parameters.map(
      ({ name, in: where, required, description = "", schema }) =>
        html`<tr>
          <td><code>${name}</code></td>
          <td>${where}${required ? "" : ", optional"}</td>
          <td>${description} <code>${JSON.stringify(schema)}</code></td>
        </tr>`,
    )}
  </table>`;

function responseExample({ example, examples, schema }: Content): Html | "" {
  if (examples)
    return html`<p>Answer with <code>Accept: text/event-stream</code>, for example:</p>
      ${code(
        Object.values(examples)
          .map(({ value }) => serverSentEvent(value))
          .join(""),
      )}`;
  return example === undefined
    ? ""
    : html`<p>Answer, for example:</p>
        ${code(example)}${collapsible("Schema of the answer", schema)}`;
}

const code = (value: unknown): Html =>
  html`<pre>${typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>`;

const collapsible = (title: string, value: unknown, id = ""): Html =>
  html`<details id="${id}">
    <summary>${title}</summary>
    ${code(value)}
  </details>`;
