/** What the search of the pages looks through: an entry for each section. No effects. */
import type { Page } from "./guides.ts";
import { addressOf } from "./layout.ts";
import type { SearchEntry } from "./search-entry.ts";

const LONGEST_TEXT = 1_500;

export const searchIndex = (pages: Page[]): SearchEntry[] => pages.flatMap(entriesOf);

function entriesOf(page: Page): SearchEntry[] {
  return page.html.split(/(?=<h[123] id="|<h1>)/).flatMap((section): SearchEntry[] => {
    const id = /^<h[123] id="([^"]+)"/.exec(section)?.[1];
    const heading = plainText(/^<h[123][^>]*>([\s\S]*?)<\/h[123]>/.exec(section)?.[1] ?? "");
    if (heading === "") return [];
    const anchor = id === undefined || section.startsWith("<h1") ? "" : `#${id}`;
    const text = plainText(section.replaceAll(/<h[123][\s\S]*?<\/h[123]>|<pre[\s\S]*?>[\s\S]*?<\/pre>/g, " "));
    return [{ id: `${addressOf(page)}${anchor}`, page: page.title, heading, text: text.slice(0, LONGEST_TEXT) }];
  });
}

const plainText = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ")
    .trim();
