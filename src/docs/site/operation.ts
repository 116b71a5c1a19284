/** One operation of the API as a section of a page: what it takes and answers, samples, and a form that tries it. No effects. */
import { html, raw } from "hono/html";
import { serverSentEvent } from "../../live/streaming/events.ts";
import { renderInline } from "./markdown.ts";
import { contentOf, descriptionOf, headingOf, streamsEvents, streamsOnlyEvents } from "./openapi.ts";
import type { Content, Operation, PathOperation } from "./openapi.ts";
import { codeBlock, fieldTable } from "./parts.ts";
import type { Html } from "./parts.ts";
import { samplesOf } from "./samples.ts";
import { typeOf } from "./schema-fields.ts";

type Examples = NonNullable<Content["examples"]>;

export function operationSection({ path, method, operation }: PathOperation): Html {
  const { operationId } = operation;
  const description = descriptionOf(operation);
  return html`<section class="operation" aria-labelledby="${operationId}">
    <h2 id="${operationId}"><a class="anchor" href="#${operationId}">${raw(renderInline(headingOf(operation)))}</a></h2>
    <p class="route"><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></p>
    ${description === "" ? "" : html`<p>${raw(renderInline(description))}</p>`} ${parameters(operation)}
    ${requestBody(operation)} ${sampleTabs({ path, method, operation })}
    ${frames("Frames from the client", operation["x-examples-from-client"])}
    ${frames("Frames from the server", operation["x-examples-from-server"])} ${responses(operation)}
    ${operation.responses["101"] ? "" : tryForm({ path, method, operation })}
  </section>`;
}

function parameters({ parameters: list }: Operation): Html | "" {
  if (list.length === 0) return "";
  return html`<h3>Parameters</h3>
    <div class="wide" tabindex="0">
      <table>
        <tbody>
          ${list.map(
            ({ name, in: place, required, description = "", schema }) =>
              html`<tr>
                <td><code>${name}</code>${required ? "" : html` <small>optional</small>`}</td>
                <td>${place}: ${typeOf(schema)}</td>
                <td>${raw(renderInline(description))}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function requestBody({ requestBody: body }: Operation): Html | "" {
  const content = body?.content["application/json"];
  return content?.schema
    ? html`<h3>Body</h3>
        ${fieldTable(content.schema)}`
    : "";
}

/** The samples stand below one another until the page's script makes tabs of them. */
function sampleTabs({ path, method, operation }: PathOperation): Html | "" {
  if (operation.responses["101"]) return "";
  const query = operation.parameters.filter((parameter) => parameter.in === "query" && parameter.required);
  const samples = samplesOf({
    method,
    path,
    query: query.map(({ name }) => name),
    body: operation.requestBody?.content["application/json"]?.example,
    streams: streamsOnlyEvents(operation),
  });
  return html`<h3>Call</h3>
    <div class="tabs">
      ${samples.map(
        ({ title, language, code }) =>
          html`<div data-tab="${title}">
            <p class="tab-title">${title}</p>
            ${raw(codeBlock(code, language))}
          </div>`,
      )}
    </div>`;
}

function responses({ responses: all, "x-codeSamples": codeSamples = [] }: Operation): Html {
  const entries = Object.entries(all);
  const isProblem = ([status]: [string, unknown]) => Number(status) >= 400;
  return html`<h3>Answers</h3>
    ${statuses(entries.filter((entry) => !isProblem(entry)))}
    <details>
      <summary>Problems</summary>
      ${statuses(entries.filter(isProblem))}
    </details>
    ${entries.flatMap(([status, answer]) =>
      Object.entries(contentOf(answer)).map(([type, example]) =>
        example.examples ? eventStream(type, example.examples, codeSamples) : responseContent(status, type, example),
      ),
    )}`;
}

const statuses = (entries: [status: string, response: { description: string }][]): Html =>
  html`<ul class="answers">
    ${entries.map(([status, { description }]) => html`<li><code>${status}</code> ${raw(renderInline(description))}</li>`)}
  </ul>`;

function eventStream(type: string, examples: Examples, samples: { source: string }[]): Html {
  const events = Object.values(examples).map(({ value }) => serverSentEvent(value));
  return html`<details>
    <summary>Events, with <code>Accept: ${type}</code></summary>
    ${samples.map(({ source }) => raw(codeBlock(source, "sh")))}
    ${raw(codeBlock(events.join("").trimEnd(), "plaintext"))}
  </details>`;
}

function responseContent(status: string, type: string, { example, schema }: Content): Html | "" {
  if (example === undefined) return "";
  const [text, language] =
    typeof example === "string" ? [example, "plaintext"] : [JSON.stringify(example, null, 2), "json"];
  return html`<details open>
    <summary><code>${status}</code> ${type}</summary>
    ${raw(codeBlock(text, language))} ${schema ? fieldTable(schema) : ""}
  </details>`;
}

const frames = (title: string, examples?: unknown[]): Html | "" =>
  examples
    ? html`<h3>${title}</h3>
        ${raw(codeBlock(examples.map((example) => JSON.stringify(example)).join("\n"), "json"))}`
    : "";

/** What the page's script needs to make a call. Without a script there is no form. */
function tryForm({ path, method, operation }: PathOperation): Html {
  const body = operation.requestBody?.content["application/json"]?.example;
  const call = {
    method,
    path,
    parameters: operation.parameters.map(({ name, in: place, required }) => ({ name, place, required })),
    body: body === undefined ? null : JSON.stringify(body, null, 2),
    streams: streamsEvents(operation),
  };
  return html`<div class="try" data-call="${JSON.stringify(call)}"></div>`;
}
