/**
 * Reads the items of a new run from a body of JSON, JSON Lines or CSV, one by one while it comes in, and checks each. What
 * becomes of them does not belong here. Effects: reads the body.
 */
import type * as z from "zod";
import type { Expectation, RunItem } from "../../../core/run.ts";
import { MAX_RUN_ITEMS } from "../../../core/run.ts";
import type { InputIssue } from "../../http/problem.ts";
import { issuesOf } from "../../http/input-issues.ts";
import { hasMoreValues, parseJson, TooDeep } from "../../http/parse-json.ts";
import { CsvError, CsvReader, SEMICOLONS } from "./csv-records.ts";
import { ItemsTwice, JsonItemReader, RestTooLong } from "./json-items.ts";
import { JsonLineReader } from "./json-lines.ts";
import type { JsonLine } from "./json-lines.ts";
import * as schemas from "./schemas.ts";

export const RUN_BODY_BYTES = 33_554_432;

export type BodyFormat = "json" | "jsonl" | "csv";

/** The most problems that an answer names. */
const MAX_ISSUES = 20;

/** How much is read before other work can run: bytes, and items, for a short item takes as much time as many bytes. */
const BYTES_PER_STEP = 131_072;
const ITEMS_PER_STEP = 100;

/** Thrown when the body has too many bytes. */
export class BodyTooLarge extends Error {}

/** An item as it stands in the body, and where. */
interface FoundItem {
  /** In the words of the answer: a line, or the index in `items`. */
  place: (string | number)[];
  /** The physical line, in a format that has lines. */
  line?: number;
  value: unknown;
}

type Found = FoundItem | { issue: InputIssue };

const isIssue = (found: Found): found is { issue: InputIssue } => "issue" in found;

/** Reads items, and keeps what is wrong with them. */
export class ItemReader {
  readonly #format: BodyFormat;
  readonly #json = new JsonItemReader();
  /** By id, an item of an export as a short text, for its lines repeat an item; empty for any other. */
  readonly #known = new Map<string, string>();
  readonly issues: InputIssue[] = [];
  turns = 0;

  constructor(format: BodyFormat) {
    this.#format = format;
  }

  get count(): number {
    return this.#known.size;
  }

  /** The fields beside the items of a JSON body, as they stand there. Call it after the last item. */
  get rest(): unknown {
    return parseJson(this.#json.rest);
  }

  /**
   * The valid items. Looks no further when too much is wrong, but takes the whole body.
   *
   * @param runOtherWork called between steps: a body that has come in leaves other calls of the isolate no time
   * @throws {BodyTooLarge}
   */
  async *read(
    body: ReadableStream<Uint8Array> | null,
    runOtherWork: () => Promise<unknown>,
  ): AsyncGenerator<RunItem, void> {
    const format = { json: jsonItems, jsonl: jsonLines, csv: csvItems }[this.#format];
    let found = 0;
    for await (const next of format(textsOf(body, runOtherWork), this.#json)) {
      found += 1;
      if (found % ITEMS_PER_STEP === 0) await runOtherWork();
      const item = isIssue(next) ? this.#refuse(next.issue) : this.#check(next);
      if (this.issues.length >= MAX_ISSUES) break;
      if (item && this.issues.length === 0) yield item;
    }
    if (this.issues.length > 0) await discard(body);
  }

  #refuse(issue: InputIssue): null {
    this.issues.push(issue);
    return null;
  }

  #check(found: FoundItem): RunItem | null {
    const value = withoutResult(found.value);
    const isExported = value !== found.value;
    const { data, error } = schemas.Item.safeParse(value);
    if (error) {
      const issues = issuesOf(error.issues, value, { in: "body", schema: schemas.Item });
      for (const { path, message, ...issue } of issues) this.#refuse({ ...issue, ...at(found, path, message) });
      return null;
    }
    const item = toItem(data, String(this.count + 1));
    const digest = isExported ? digestOf(JSON.stringify(item)) : "";
    const known = this.#known.get(item.id);
    if (known !== undefined) {
      const isRepeated = isExported && known === digest;
      return isRepeated
        ? null
        : this.#refuse(valueIssue(found, ["id"], `The id "${item.id}" is taken by an earlier item`));
    }
    if (this.count === MAX_RUN_ITEMS)
      return this.#refuse(valueIssue(found, [], `A run has at most ${MAX_RUN_ITEMS} items`));
    this.#known.set(item.id, digest);
    this.turns += item.turns.length;
    return item;
  }
}

/** Short for a long text: its length and 53 bits. https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js */
function digestOf(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  return `${text.length} ${high >>> 0} ${low >>> 0}`;
}

/** A place and a message. In a format with lines the message names the line. */
const at = ({ place, line }: Pick<FoundItem, "place" | "line">, path: (string | number)[], message: string) => ({
  path: [...place, ...path],
  message: line === undefined ? message : `Line ${line}: ${message}`,
});

const valueIssue = (
  found: Pick<FoundItem, "place" | "line">,
  path: (string | number)[],
  message: string,
): InputIssue => ({
  code: "value_error",
  ...at(found, path, message),
});

/** A line of an export has the item, and one answer to it. */
function withoutResult(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("run_id" in value) || !("chat_record_id" in value)) return value;
  const { id, turns, expect, tags } = value as Record<string, unknown>;
  return { id, turns, expect, tags };
}

function toItem(item: z.output<typeof schemas.Item>, number: string): RunItem {
  const { id = number, turns, prompt, input, target, expect, tags = [] } = item;
  const expected = target === undefined || target === "" ? (expect ?? null) : { contains: target };
  return { id, turns: turns ?? [prompt ?? input ?? ""], expect: expected && toExpectation(expected), tags };
}

const toExpectation = ({ not_contains: notContains, ...expect }: z.output<typeof schemas.Expect>): Expectation =>
  notContains === undefined ? expect : { ...expect, notContains };

/** The text of a body. @throws {BodyTooLarge} */
async function* textsOf(
  body: ReadableStream<Uint8Array> | null,
  runOtherWork: () => Promise<unknown>,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let bytesInStep = 0;
  for await (const chunk of body?.values({ preventCancel: true }) ?? []) {
    bytes += chunk.byteLength;
    if (bytes > RUN_BODY_BYTES) throw new BodyTooLarge();
    for (let start = 0; start < chunk.byteLength; start += BYTES_PER_STEP) {
      const part = chunk.subarray(start, start + BYTES_PER_STEP);
      if (bytesInStep + part.byteLength > BYTES_PER_STEP) {
        await runOtherWork();
        bytesInStep = 0;
      }
      bytesInStep += part.byteLength;
      yield decoder.decode(part, { stream: true });
    }
  }
  yield decoder.decode();
}

/** The most values in the JSON of an item. One that is valid has about 1,100: its turns, its tags and some fields. */
const MAX_ITEM_VALUES = 10_000;

/** Takes what is left of a body. Whoever is still sending it could not read the answer. */
async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > RUN_BODY_BYTES) return;
  }
}

const parsed = (text: string, found: Omit<FoundItem, "value">): Found => {
  if (hasMoreValues(text, MAX_ITEM_VALUES))
    return { issue: valueIssue(found, [], `has more than ${MAX_ITEM_VALUES} values`) };
  try {
    return { ...found, value: parseJson(text) };
  } catch (error) {
    const message = error instanceof TooDeep ? error.message : "is not valid JSON";
    return { issue: { code: "json_invalid", ...at(found, [], message) } };
  }
};

async function* jsonItems(texts: AsyncIterable<string>, reader: JsonItemReader): AsyncGenerator<Found, void> {
  let index = 0;
  try {
    for await (const text of texts)
      for (const item of reader.push(text)) yield parsed(item, { place: ["items", index++] });
    parseJson(reader.rest);
  } catch (error) {
    const issue = issueOfBody(error);
    const isEmpty = error instanceof SyntaxError && reader.rest.trim() === "" && index === 0;
    yield { issue: isEmpty ? { path: [], code: "missing", message: "A body is required" } : issue };
  }
}

/** @throws what does not come from the text of the body */
function issueOfBody(error: unknown): InputIssue {
  if (error instanceof ItemsTwice) return { path: ["items"], code: "value_error", message: "must not be there twice" };
  if (error instanceof TooDeep) return { path: [], code: "json_invalid", message: `The body ${error.message}` };
  if (error instanceof RestTooLong) return { path: [], code: "value_error", message: `The body ${error.message}` };
  if (!(error instanceof SyntaxError)) throw error;
  return { path: [], code: "json_invalid", message: "The body is not valid JSON" };
}

async function* jsonLines(texts: AsyncIterable<string>): AsyncGenerator<Found, void> {
  const reader = new JsonLineReader();
  for await (const text of texts) for (const line of reader.push(text)) yield parsedLine(line);
  for (const line of reader.end()) yield parsedLine(line);
}

const parsedLine = ({ line, text }: JsonLine): Found => parsed(text, { place: [line], line });

const EXPECT_COLUMNS = ["contains", "equals", "not_contains", "regex"] as const;
const COLUMNS = ["id", "prompt", ...EXPECT_COLUMNS.map((column) => `expect_${column}`), "tags"];

async function* csvItems(texts: AsyncIterable<string>): AsyncGenerator<Found, void> {
  const reader = new CsvReader();
  let columns: string[] | null = null;
  const read = function* (records: ReturnType<CsvReader["push"]>): Generator<Found, void> {
    for (const { line, cells } of records) {
      const place = { place: [line], line };
      if (columns === null) {
        columns = cells.map((cell) => cell.trim());
        const problems = problemsOfHead(columns);
        if (problems.length > 0) throw new CsvError(line, ...problems);
        reader.maxCells = columns.length;
      } else if (cells.length > columns.length)
        yield { issue: valueIssue(place, [], `has more cells than the head: ${columns.length}`) };
      else if (!cells[columns.indexOf("prompt")])
        yield { issue: valueIssue(place, ["prompt"], "has no prompt: write one, or remove the row") };
      else
        yield { ...place, value: itemOfCells(new Map(columns.map((column, index) => [column, cells[index] ?? ""]))) };
    }
  };
  try {
    for await (const text of texts) yield* read(reader.push(text));
    yield* read(reader.end());
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { line, problems } = error;
    for (const problem of problems) yield { issue: valueIssue({ place: [line], line }, [], problem) };
  }
}

/** What is wrong with a first line such as `sep=;`, which names the separator. */
const SEPARATOR_LINE =
  'The line "sep=" is for spreadsheet programs only: remove it, and separate the cells with commas';

/** Whether a cell of the head is several columns, at least one of them known. */
const hasSemicolons = (column: string): boolean =>
  column.includes(";") && column.split(";").some((part) => COLUMNS.includes(part.trim().replaceAll('"', "")));

function problemsOfHead(columns: string[]): string[] {
  if (columns[0]?.toLowerCase().startsWith("sep=")) return [SEPARATOR_LINE];
  if (columns.some(hasSemicolons)) return [SEMICOLONS];
  const unknown = columns.filter((column) => !COLUMNS.includes(column));
  return [
    ...unknown.map((column) => `The column "${cut(column)}" is not known: there are ${COLUMNS.join(", ")}`),
    ...(columns.includes("prompt") ? [] : ["A column prompt is required"]),
    ...(new Set(columns).size < columns.length ? ["A column is there twice"] : []),
  ];
}

/** What a message repeats of a text. */
const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** An empty cell is none. */
function itemOfCells(cells: ReadonlyMap<string, string>): object {
  const fields = (names: readonly string[], prefix = "") =>
    Object.fromEntries(names.flatMap((name) => (cells.get(prefix + name) ? [[name, cells.get(prefix + name)]] : [])));
  const expect = fields(EXPECT_COLUMNS, "expect_");
  const tags = (cells.get("tags") ?? "").split("|").filter((tag) => tag !== "");
  return {
    ...fields(["id", "prompt"]),
    ...(Object.keys(expect).length > 0 ? { expect } : {}),
    ...(tags.length > 0 ? { tags } : {}),
  };
}
