/** What someone gives as items: which format it is, and how many there are, as far as that is seen without a server. Pure. */
import type { RunDataSet } from "../../../client/index.ts";

const JSONL = "application/jsonl";
const CSV = "text/csv";

export interface ItemsText extends RunDataSet {
  /** `null` if the server has to count: a CSV row may have several lines. */
  count: number | null;
}

/**
 * JSON of one value becomes JSON Lines: a list, or an object with `items`, or with `examples` as Moonshot's data sets have
 * them. Plain lines become a prompt each.
 *
 * @param name of the file; empty for text that was pasted
 */
export function readItems(text: string, name = ""): ItemsText | null {
  if (text.trim() === "") return null;
  const list = listOf(text);
  if (list) return asLines(list.map((item) => JSON.stringify(item)));
  if (/\.csv$/i.test(name) || (!isJson(text) && hasHead(text))) return { text, contentType: CSV, count: null };
  if (isJson(text) || /\.(?:jsonl|ndjson)$/i.test(name))
    return { text, contentType: JSONL, count: linesOf(text).length };
  return asLines(linesOf(text).map((prompt) => JSON.stringify({ prompt })));
}

const asLines = (lines: string[]): ItemsText => ({
  text: `${lines.join("\n")}\n`,
  contentType: JSONL,
  count: lines.length,
});

const linesOf = (text: string): string[] => text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");

const isJson = (text: string): boolean => /^\uFEFF?\s*[[{]/.test(text);

/** A CSV file has a head with `prompt`. One with semicolons, or `sep=`, is for the server to refuse: its lines are no prompts. */
const hasHead = (text: string): boolean =>
  /^\uFEFF?(?:sep=.\r?\n)?(?:[^\n]*[,;])?\s*"?prompt"?\s*(?:[,;]|\r?\n)/.test(text);

function listOf(text: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (Array.isArray(value)) return value;
    const { items, examples } = value as { items?: unknown; examples?: unknown };
    const list = items ?? examples;
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}
