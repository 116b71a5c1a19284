/**
 * The guides of `src/docs` and the decision records, as HTML. The order in which they are read is here; how a page looks is in
 * `layout.ts`. Reads the disk.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { renderMarkdown } from "./markdown.ts";
import type { Heading } from "./markdown.ts";

const FOLDER = join(import.meta.dirname, "..");

/** A page of the documentation. */
export interface Page {
  /** Its path below `/docs`, without a slash at the ends. Empty for the first page. */
  path: string;
  title: string;
  /** One sentence: what the page is for. */
  summary: string;
  html: string;
  /** The headings that the page's own contents list, in their order. */
  headings: Heading[];
}

/** Pages under one heading of the side bar. */
export interface PageGroup {
  title: string;
  pages: Page[];
  /** Pages that one of these lists, and that the side bar does not. */
  listed?: Page[];
}

const CONTRIBUTORS = "Work on it";

/** Every guide, in the order in which they are read. A test holds that none is missing. */
export const GUIDE_GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Use the API": ["console", "widget", "api", "streaming", "conversations", "comparisons", "runs", "access"],
  "Connect a client": ["clients", "client", "openai", "ai-sdk", "moonshot"],
  "Connect a model": ["connectors"],
  "Run it": ["deploy", "configuration", "operate", "capacity", "security"],
  "Rely on it": ["guarantees", "changelog"],
  [CONTRIBUTORS]: ["architecture", "storage", "naming"],
};

/** @returns each picture that guides show, by the path of its file */
export const imageFiles = (): Record<string, Uint8Array> =>
  Object.fromEntries(
    readdirSync(join(FOLDER, "images")).map((name) => [`docs/${name}`, readFileSync(join(FOLDER, "images", name))]),
  );

/** @returns the groups of all guides, and the decision records in the last one */
export function readGuides(): PageGroup[] {
  const groups = Object.entries(GUIDE_GROUPS).map(([title, names]) => ({ title, pages: names.map(readGuide) }));
  const records = readdirSync(join(FOLDER, "decisions")).filter((name) => name.endsWith(".md"));
  const decisions = records.toSorted().map((name) => readGuide(`decisions/${name.replace(/\.md$/, "")}`));
  return groups.map((group) =>
    group.title === CONTRIBUTORS
      ? { ...group, pages: [...group.pages, decisionList(decisions)], listed: decisions }
      : group,
  );
}

function decisionList(decisions: Page[]): Page {
  const items = decisions.map(({ path, title }) => `<li><a href="/docs/${path}">${title}</a></li>`);
  const summary = "Why the code is as it is: a record for each decision that others may ask about.";
  const html = `<h1>Decisions</h1><p>${summary}</p><ul>${items.join("")}</ul>`;
  return { path: "decisions", title: "Decisions", summary, html, headings: [] };
}

function readGuide(path: string): Page {
  const markdown = readFileSync(join(FOLDER, `${path}.md`), "utf8");
  const { html, headings, firstParagraph } = renderMarkdown(markdown, path);
  const [first] = headings;
  return {
    path,
    title: first?.text ?? path,
    summary: firstParagraph,
    html,
    headings: headings.filter(({ level }) => level === 2 || level === 3),
  };
}
