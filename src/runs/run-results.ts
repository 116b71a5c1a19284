/**
 * Reads the answers of a run page by page, by their numbers. A page far into a long list is found by the counts of blocks
 * (`answer-counts.ts`). Effects: reads the object's SQLite.
 */
import type { Expectation, ResultFilter, RunPlan, RunResult } from "../core/run.ts";
import { BLOCK_ANSWERS } from "./answer-counts.ts";
import type { AnswerCounts } from "./answer-counts.ts";

/** How many characters of texts are read for an export at once. */
const EXPORT_CHARACTERS = 2_000_000;

/** An answer with what it was asked, for an export. */
export interface ExportedResult extends RunResult {
  text: string;
  ttftMs: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

export interface ExportedItem {
  id: string;
  turns: string[];
  expect: Expectation | null;
  tags: string[];
}

/** A part of an export: answers with the items that they belong to. */
export interface ExportPage {
  results: ExportedResult[];
  items: ExportedItem[];
  /** Where the next part begins; `null` for the last one. */
  next: number | null;
}

interface AnswerRow {
  [column: string]: SqlStorageValue;
  number: number;
  item: number;
  item_id: string;
  repetition: number;
  turn: number;
  endpoint: number;
  session_id: string;
  record: number;
  status: RunResult["status"];
  error_code: string | null;
  pass: number | null;
  duration_ms: number | null;
  cost: number | null;
}

interface ExportRow extends AnswerRow {
  text: string;
  ttft_ms: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
}

const COLUMNS =
  "answers.number, item, items.id AS item_id, repetition, turn, endpoint, session_id, record, status, error_code, pass, duration_ms, cost";
const FROM = "FROM answers JOIN items ON items.number = answers.item";
const MATCHES = "(?3 IS NULL OR endpoint = ?3) AND (?4 IS NULL OR status = ?4) AND (?5 IS NULL OR pass = ?5)";
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE answers.number >= ?1 AND answers.number < ?2 AND ${MATCHES} ORDER BY answers.number LIMIT ?6 OFFSET ?7`;
const COUNT = `SELECT count(*) AS answers FROM answers WHERE number >= ?1 AND number < ?2 AND ${MATCHES}`;
const EXPORT = `SELECT ${COLUMNS}, ttft_ms, input_tokens, output_tokens, text ${FROM} WHERE answers.number >= ? ORDER BY answers.number`;
const ITEM_OF = "SELECT number, first_turn, turns FROM items WHERE id = ?";
const EXPORTED_ITEM = "SELECT id, first_turn, turns, expect, tags FROM items WHERE number = ?";
const PROMPTS = "SELECT content FROM prompts WHERE number >= ? AND number < ? ORDER BY number";

export class RunResults {
  readonly #sql: SqlStorage;
  readonly #plan: Readonly<RunPlan>;
  readonly #counts: AnswerCounts;

  constructor(sql: SqlStorage, plan: Readonly<RunPlan>, counts: AnswerCounts) {
    this.#sql = sql;
    this.#plan = plan;
    this.#counts = counts;
  }

  /** A page of the answers that match, in the order of their numbers. */
  page(filter: ResultFilter, limit: number, skip: number): { results: RunResult[]; total: number } {
    const endpoint = filter.endpoint === undefined ? null : this.#plan.endpoints.indexOf(filter.endpoint);
    const pass = filter.pass === undefined ? null : Number(filter.pass);
    const matching = [endpoint, filter.status ?? null, pass];
    if (filter.item !== undefined) return this.#pageOfItem(filter.item, matching, limit, skip);
    const rows: AnswerRow[] = [];
    let [total, left] = [0, skip];
    const endpoints = endpoint === null ? this.#plan.endpoints.keys() : [endpoint];
    for (const [block, answers] of this.#counts.byBlock(filter, endpoints).entries()) {
      total += answers;
      const isBefore = left >= answers;
      if (isBefore) left -= answers;
      if (isBefore || rows.length >= limit) continue;
      const [from, to] = [block * BLOCK_ANSWERS, (block + 1) * BLOCK_ANSWERS];
      rows.push(...this.#rows(from, to, matching, limit - rows.length, left));
      left = 0;
    }
    return { results: rows.map((row) => this.#toResult(row)), total };
  }

  #rows(from: number, to: number, matching: SqlStorageValue[], limit: number, skip: number): AnswerRow[] {
    return this.#sql.exec<AnswerRow>(PAGE, from, to, ...matching, limit, skip).toArray();
  }

  #pageOfItem(id: string, matching: SqlStorageValue[], limit: number, skip: number) {
    const [item] = this.#sql.exec<{ number: number; first_turn: number; turns: number }>(ITEM_OF, id).toArray();
    if (!item) return { results: [], total: 0 };
    const { repeat, endpoints } = this.#plan;
    const from = item.first_turn * repeat * endpoints.length;
    const to = from + item.turns * repeat * endpoints.length;
    const { answers: total } = this.#sql.exec<{ answers: number }>(COUNT, from, to, ...matching).one();
    return { results: this.#rows(from, to, matching, limit, skip).map((row) => this.#toResult(row)), total };
  }

  #toResult(row: AnswerRow): RunResult {
    return {
      itemId: row.item_id,
      repetition: row.repetition + 1,
      turn: row.turn + 1,
      endpoint: this.#plan.endpoints[row.endpoint] ?? "",
      sessionId: row.session_id,
      chatId: this.#plan.session.chats[row.endpoint]?.chatId ?? "",
      chatRecordId: row.record,
      status: row.status,
      errorCode: row.error_code,
      pass: row.pass === null ? null : row.pass === 1,
      durationMs: row.duration_ms,
      cost: row.cost,
    };
  }

  /** The answers from a number on, with their texts, as many as pass at once. */
  exportFrom(from: number): ExportPage {
    const results: ExportedResult[] = [];
    const items = new Map<number, ExportedItem>();
    let characters = 0;
    for (const row of this.#sql.exec<ExportRow>(EXPORT, from)) {
      if (characters > EXPORT_CHARACTERS) return { results, items: [...items.values()], next: row.number };
      const item = items.get(row.item) ?? this.#exportedItem(row.item);
      if (!items.has(row.item)) characters += JSON.stringify(item).length;
      items.set(row.item, item);
      characters += row.text.length + ROW_CHARACTERS;
      const { text, ttft_ms: ttftMs, input_tokens: inputTokens, output_tokens: outputTokens } = row;
      results.push({ ...this.#toResult(row), text, ttftMs, inputTokens, outputTokens });
    }
    return { results, items: [...items.values()], next: null };
  }

  #exportedItem(number: number): ExportedItem {
    const { id, first_turn, turns, expect, tags } = this.#sql
      .exec<{ id: string; first_turn: number; turns: number; expect: string | null; tags: string }>(
        EXPORTED_ITEM,
        number,
      )
      .one();
    const prompts = this.#sql.exec<{ content: string }>(PROMPTS, first_turn, first_turn + turns);
    return {
      id,
      turns: Array.from(prompts, ({ content }) => content),
      expect: expect === null ? null : (JSON.parse(expect) as Expectation),
      tags: JSON.parse(tags) as string[],
    };
  }
}

/** What a row has besides its text, about. */
const ROW_CHARACTERS = 500;
