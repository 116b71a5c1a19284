/**
 * Markdown to HTML: headings with an anchor, code with colours, tables that scroll, and links between guides that lead to their
 * pages. The guides are our own, so their HTML is not sanitised. No effects.
 */
import GithubSlugger from "github-slugger";
import { Marked } from "marked";
import type { Tokens } from "marked";
import { markedHighlight } from "marked-highlight";
import { createRequire } from "node:module";
import { posix } from "node:path";

interface Highlighter {
  getLanguage: (name: string) => unknown;
  highlight: (code: string, options: { language: string }) => { value: string };
}

/** Loaded without its own types: they bring a browser's types into every program that imports this file. */
const hljs = createRequire(import.meta.url)("highlight.js/lib/common") as Highlighter;

export interface Heading {
  level: number;
  text: string;
  /** The anchor, as GitHub makes it. */
  id: string;
}

interface Rendered {
  html: string;
  headings: Heading[];
  /** The text of the first paragraph, without marks. */
  firstParagraph: string;
}

/** @param path the path of the guide below `src/docs`, without `.md`: its links start from there */
export function renderMarkdown(markdown: string, path: string): Rendered {
  const headings: Heading[] = [];
  const slugger = new GithubSlugger();
  const marked = new Marked(markedHighlight({ langPrefix: "hljs language-", highlight: colourCode }), {
    renderer: {
      heading({ tokens, depth: level }) {
        const html = this.parser.parseInline(tokens);
        const text = this.parser.parseInline(tokens, this.parser.textRenderer);
        const id = slugger.slug(text);
        headings.push({ level, text: withoutEntities(text), id });
        return `<h${level} id="${id}"><a class="anchor" href="#${id}">${html}</a></h${level}>\n`;
      },
      link({ href, title, tokens }) {
        const html = this.parser.parseInline(tokens);
        const address = pageAddress(href, path);
        if (address === null) return html;
        return `<a href="${address}"${title ? ` title="${title}"` : ""}>${html}</a>`;
      },
      image({ href, text }) {
        return `<img src="/docs/${posix.basename(href)}" alt="${text}">`;
      },
    },
  });
  const html = marked
    .parse(markdown, { async: false })
    .replaceAll("<pre>", `<pre tabindex="0">`)
    .replaceAll("<table>", '<div class="wide" tabindex="0"><table>');
  const isParagraph = (token: { type: string }): token is Tokens.Paragraph => token.type === "paragraph";
  const firstParagraph = marked.parseInline(marked.lexer(markdown).find(isParagraph)?.text ?? "", { async: false });
  return {
    html: html.replaceAll("</table>", "</table></div>"),
    headings,
    firstParagraph: withoutEntities(firstParagraph.replaceAll(/<[^>]*>/g, "")),
  };
}

const inline = new Marked({
  renderer: { html: ({ text }) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;") },
});

/** @returns HTML of a line of text with marks such as backticks. HTML in it is shown as text */
export const renderInline = (text: string): string => inline.parseInline(text, { async: false });

export function colourCode(code: string, language: string): string {
  const known = hljs.getLanguage(language) ? language : "plaintext";
  return hljs.highlight(code, { language: known }).value;
}

/** @returns where a link of a guide leads on the pages. `null` for a file that has no page */
function pageAddress(href: string, path: string): string | null {
  if (/^(https?:|#)/.test(href)) return href;
  const [file = "", anchor] = href.split("#");
  const target = posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, "");
  if (target.startsWith("..")) return null;
  return `/docs/${target.replace(/\.md$/, "")}${anchor === undefined ? "" : `#${anchor}`}`;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

const withoutEntities = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => ENTITIES[name] ?? whole);
