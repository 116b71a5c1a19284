/** Parts that several pages have: code with colours, and a schema as a table. No effects. */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { colourCode, renderInline } from "./markdown.ts";
import { fieldsOf, typeOf } from "./schema-fields.ts";
import type { Schema } from "./schema-fields.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** @returns HTML: what is in the code is escaped */
export const codeBlock = (code: string, language: string): string =>
  `<pre tabindex="0"><code class="hljs language-${language}">${colourCode(code, language)}</code></pre>`;

export function fieldTable(schema: Schema): Html {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return html`<p><code>${typeOf(schema)}</code></p>`;
  return html`<div class="wide" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${fields.map(
          ({ name, type, required, description, refersTo }) =>
            html`<tr>
              <td><code>${name}</code>${required ? "" : html` <small>optional</small>`}</td>
              <td>
                ${refersTo === undefined ? type : html`<a href="/docs/reference/schemas#${refersTo}">${type}</a>`}
              </td>
              <td>${raw(renderInline(description))}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
