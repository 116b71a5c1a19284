/**
 * Reads the file of a data set. JSON Lines and CSV go to the server as they are, which names their lines; JSON and YAML
 * become items here, and a problem gets the line where the item stands. No effects.
 */
import { extname } from "node:path";
import { LineCounter, isCollection, isNode, parse, parseDocument } from "yaml";
import type { RunDataSet } from "../../client/index.ts";
import { NO_RESULT, UserError } from "../program.ts";
import { NotTaken, fieldOf, mapAll } from "./found-items.ts";
import type { FoundItem, FoundItems, Item, Path } from "./found-items.ts";
import { isPromptfoo, promptfooItems } from "./promptfoo-tests.ts";

interface Explained {
  /** For the person at the terminal, about the file. */
  remarks: string[];
  /** A problem of the server's answer in the words of the file. */
  explain: (path: string, message: string) => string;
}

export type DataSet = Explained & (RunDataSet | { items: Item[] });

const TEXT_TYPES: Readonly<Record<string, RunDataSet["contentType"]>> = {
  ".jsonl": "application/jsonl",
  ".ndjson": "application/jsonl",
  ".csv": "text/csv",
};

/** @throws {@link UserError} */
export function readDataSet(file: string, text: string): DataSet {
  const extension = extname(file).toLowerCase();
  const contentType = TEXT_TYPES[extension];
  if (contentType !== undefined) return { text, contentType, remarks: [], explain: withPath };
  if (![".json", ".yaml", ".yml"].includes(extension))
    throw new UserError(`${file} must be .jsonl, .csv, .json or .yaml.`, NO_RESULT);
  try {
    const { found, remarks } = itemsOf(parsed(text, extension));
    const explain = (path: string, message: string) => {
      const [, index, rest = ""] = /^items\.(\d+)\.?(.*)$/.exec(path) ?? [];
      const at = found[Number(index)]?.path;
      return at ? `line ${lineOf(text, at)}: ${withPath(rest, message)}` : withPath(path, message);
    };
    return { items: found.map(({ item }) => item), remarks, explain };
  } catch (error) {
    if (!(error instanceof NotTaken)) throw error;
    throw new UserError(`${file} is not taken:\n${problemLines(error, text).join("\n")}`, NO_RESULT);
  }
}

/** As many problems as the server names at once. */
const MAX_PROBLEMS = 20;

/** What all tests share is read with each of them, so its problems come more than once. */
function problemLines({ problems }: NotTaken, text: string): string[] {
  const lines = problems.map(({ path, message }) => [...path, message].join("\n"));
  const unlike = problems.filter((_, index) => lines.indexOf(lines[index] ?? "") === index);
  const shown = unlike.slice(0, MAX_PROBLEMS).map(({ path, message }) => {
    const where = path.length === 0 ? "" : `line ${lineOf(text, path)}: `;
    return `  ${where}${message}`;
  });
  return unlike.length > MAX_PROBLEMS ? [...shown, `  and ${unlike.length - MAX_PROBLEMS} more`] : shown;
}

/** The path of a line is its number, which the message begins with. */
const withPath = (path: string, message: string): string =>
  path === "" || message.startsWith("Line ") ? message : `${path}: ${message}`;

function parsed(text: string, extension: string): unknown {
  try {
    return extension === ".json" ? JSON.parse(text) : parse(text);
  } catch (error) {
    throw new NotTaken([], error instanceof Error ? error.message : String(error));
  }
}

function itemsOf(value: unknown): FoundItems {
  if (isPromptfoo(value)) return promptfooItems(value);
  const examples = fieldOf(value, "examples");
  if (Array.isArray(examples))
    return {
      found: mapAll(examples, (example: unknown, index) => moonshotItem(example, ["examples", index])),
      remarks: [],
    };
  const items = Array.isArray(value) ? value : fieldOf(value, "items");
  if (!Array.isArray(items))
    throw new NotTaken(
      [],
      "It must be a list of items, or have items, examples (of Moonshot), or tests (of promptfoo)",
    );
  const base = Array.isArray(value) ? [] : ["items"];
  return { found: items.map((item: Item, index) => ({ item, path: [...base, index] })), remarks: [] };
}

/** Examples have fields of their own, which say nothing to an endpoint. */
function moonshotItem(example: unknown, path: Path): FoundItem {
  const [input, target] = [fieldOf(example, "input"), fieldOf(example, "target")];
  if (typeof input !== "string") throw new NotTaken(path, "input must be a text");
  const isText = typeof target === "string" || typeof target === "number" || typeof target === "boolean";
  if (!isText && target !== undefined && target !== null) throw new NotTaken(path, "target must be a text or a number");
  return { item: { input, ...(isText ? { target: String(target) } : {}) }, path };
}

/** The line of what stands at a path, from 1; of what is around it if there is nothing. */
function lineOf(text: string, path: Path): number {
  const lines = new LineCounter();
  let node: unknown = parseDocument(text, { lineCounter: lines }).contents;
  let offset = 0;
  for (const key of [...path, null]) {
    if (isNode(node) && node.range) [offset] = node.range;
    if (key === null || !isCollection(node)) break;
    node = node.get(key, true);
  }
  return lines.linePos(offset).line;
}
