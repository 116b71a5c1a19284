/**
 * The SQLite of a run's object: its items, the conversations that are open, and all answers. Every method is synchronous,
 * so everything between two awaits is one transaction. Reading answers page by page is in `run-results.ts`. Effects:
 * storage.
 *
 * Answers are numbered from 0 in the order of items, repetitions, turns and endpoints, without a gap. So a page of a
 * complete run begins where its number says, and one of an incomplete run where the counts of blocks say.
 */
import { add, countAnswer, countItem, noFigures } from "../core/run-figures.ts";
import type { CountedAnswer, RunFigures } from "../core/run-figures.ts";
import type { Expectation, RunItem, RunPlan, RunProgress, RunStatus } from "../core/run.ts";
import type { EpochMs } from "../core/time.ts";
import { AnswerCounts } from "./answer-counts.ts";
import { insertRows } from "./insert-rows.ts";
import { TABLES } from "./run-schema.ts";
import type { ConversationRow, FailedRow, ItemRow } from "./run-schema.ts";

/** `draft`: its items are being read. `removed`: its sessions are being deleted. */
export type StoredStatus = RunStatus | "draft" | "removed";

/** What changes of a run: one row. */
export interface RunState {
  /** `null` until it has started. */
  runId: string | null;
  /** When a draft is given up. */
  draftUntil: EpochMs;
  status: StoredStatus;
  items: number;
  turns: number;
  /** How often what failed was asked again. */
  retries: number;
  /** How many waves in a row failed without an answer. */
  failures?: number;
  /** How many conversations were begun, in their order. */
  begun: number;
  progress: RunProgress;
  /** By endpoint. */
  figures: RunFigures[];
}

/** A conversation that was begun and has not ended. */
export interface OpenConversation {
  /** Of all repetitions of all items: those of an item are in a row. */
  number: number;
  /** `null` until it has a session. */
  sessionId: string | null;
  /** Which session it is, from 1: it gets another one when its session is gone. */
  attempt: number;
  /** From 0. */
  nextTurn: number;
  /** The places of the endpoints that are asked, if it is not all: only those that failed are asked again. */
  endpoints: number[] | null;
}

/** An item as the engine needs it. */
export interface StoredItem {
  number: number;
  id: string;
  firstTurn: number;
  turns: number;
  expect: Expectation | null;
}

/** One answer of a turn. */
export interface NewAnswer extends CountedAnswer {
  /** Its place among the endpoints of the run. */
  endpoint: number;
  record: number;
  text: string;
}

const NEW_STATE: RunState = {
  runId: null,
  draftUntil: 0,
  status: "draft",
  items: 0,
  turns: 0,
  retries: 0,
  begun: 0,
  progress: { done: 0, of: 0, errors: 0 },
  figures: [],
};

const READ_ITEM = "SELECT number, id, first_turn, turns, expect FROM items WHERE number = ?";
const WRITE_CONVERSATION =
  "INSERT OR REPLACE INTO conversations (number, session_id, attempt, next_turn, endpoints) VALUES (?, ?, ?, ?, ?)";
const READ_COUNTED =
  "SELECT status, error_code AS errorCode, pass, duration_ms AS durationMs, ttft_ms AS ttftMs, input_tokens AS inputTokens, output_tokens AS outputTokens, cost FROM answers WHERE number = ?";
const WRITE_ANSWER =
  "INSERT OR REPLACE INTO answers (number, item, repetition, turn, endpoint, session_id, record, status, error_code, pass, duration_ms, ttft_ms, input_tokens, output_tokens, cost, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const READ_FAILED = "SELECT DISTINCT item, repetition, endpoint FROM answers WHERE status <> 'ok'";

/** More than a conversation gets: each retry has numbers of its own. */
const ATTEMPTS_A_RETRY = 1_000;

const READ_PASSES = "SELECT finished, passes FROM items WHERE number = ?";
const END_CONVERSATION = "UPDATE items SET finished = finished + 1, passes = ? WHERE number = ?";

/** Reads and writes a run. Create one per object. */
export class RunStorage {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly counts: AnswerCounts;
  #plan: RunPlan | null = null;
  #state: RunState | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.counts = new AnswerCounts(storage.sql);
    if (this.#sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'run'").toArray().length === 0) return;
    const [row] = this.#sql.exec<{ plan: string; state: string }>("SELECT plan, state FROM run").toArray();
    if (!row) return;
    this.#plan = JSON.parse(row.plan) as RunPlan | null;
    this.#state = JSON.parse(row.state) as RunState;
  }

  /** `null` for an object without a run. */
  get state(): Readonly<RunState> | null {
    return this.#state;
  }

  get loadedState(): Readonly<RunState> {
    if (!this.#state) throw new Error("No run is stored");
    return this.#state;
  }

  get isPlanned(): boolean {
    return this.#plan !== null;
  }

  get plan(): Readonly<RunPlan> {
    if (!this.#plan) throw new Error("The run has no plan");
    return this.#plan;
  }

  /** How many conversations the run has. */
  get conversations(): number {
    return this.loadedState.items * this.plan.repeat;
  }

  /** Begins a run that has no items yet. */
  begin(draftUntil: EpochMs): void {
    for (const table of TABLES) this.#sql.exec(table);
    this.#state = { ...NEW_STATE, draftUntil };
    this.#sql.exec("INSERT INTO run (one, plan, state) VALUES (1, 'null', ?)", JSON.stringify(this.#state));
  }

  /** Call it before everything is deleted. */
  forget(): void {
    this.#state = null;
    this.#plan = null;
  }

  addItems(added: RunItem[]): void {
    let { items, turns } = this.loadedState;
    const itemRows: SqlStorageValue[][] = [];
    const promptRows: SqlStorageValue[][] = [];
    for (const { id, turns: prompts, expect, tags } of added) {
      const expected = expect === null ? null : JSON.stringify(expect);
      itemRows.push([items, id, turns, prompts.length, expected, JSON.stringify(tags)]);
      for (const prompt of prompts) promptRows.push([turns++, prompt]);
      items += 1;
    }
    insertRows(this.#sql, "items (number, id, first_turn, turns, expect, tags)", itemRows);
    insertRows(this.#sql, "prompts (number, content)", promptRows);
    this.update({ items, turns });
  }

  setPlan(plan: RunPlan): void {
    this.#plan = plan;
    this.#sql.exec("UPDATE run SET plan = ?", JSON.stringify(plan));
    const of = this.loadedState.turns * plan.repeat * plan.endpoints.length;
    this.update({ progress: { done: 0, of, errors: 0 }, figures: plan.endpoints.map(noFigures) });
  }

  /** Writes one row. */
  update(changes: Partial<RunState>): void {
    this.#state = { ...this.loadedState, ...changes };
    this.#sql.exec("UPDATE run SET state = ?", JSON.stringify(this.#state));
  }

  item(number: number): StoredItem {
    const { first_turn: firstTurn, expect, ...item } = this.#sql.exec<ItemRow>(READ_ITEM, number).one();
    return { ...item, firstTurn, expect: expect === null ? null : (JSON.parse(expect) as Expectation) };
  }

  prompt(number: number): string {
    return this.#sql.exec<{ content: string }>("SELECT content FROM prompts WHERE number = ?", number).one().content;
  }

  openConversations(): OpenConversation[] {
    const rows = this.#sql.exec<ConversationRow>(
      "SELECT number, session_id, attempt, next_turn, endpoints FROM conversations",
    );
    return Array.from(rows, ({ number, session_id: sessionId, attempt, next_turn: nextTurn, endpoints }) => ({
      number,
      sessionId,
      attempt,
      nextTurn,
      endpoints: endpoints === null ? null : (JSON.parse(endpoints) as number[]),
    }));
  }

  /** Writes where an open conversation is. */
  keepOpen({ number, sessionId, attempt, nextTurn, endpoints }: OpenConversation): void {
    this.#sql.exec(WRITE_CONVERSATION, number, sessionId, attempt, nextTurn, endpoints && JSON.stringify(endpoints));
  }

  /** Begins the next conversation. */
  beginConversation(number: number): OpenConversation {
    const conversation = { number, sessionId: null, attempt: 1, nextTurn: 0, endpoints: null };
    this.keepOpen(conversation);
    this.update({ begun: this.loadedState.begun + 1 });
    return conversation;
  }

  /**
   * Opens the conversations again in which answers failed, with the endpoints that failed.
   *
   * @returns whether there were any
   */
  reopenFailed(): boolean {
    const failed = new Map<number, number[]>();
    for (const { item, repetition, endpoint } of this.#sql.exec<FailedRow>(READ_FAILED)) {
      const number = item * this.plan.repeat + repetition;
      failed.set(number, [...(failed.get(number) ?? []), endpoint]);
    }
    for (const { number } of this.openConversations()) failed.delete(number);
    if (failed.size === 0) return false;
    const retries = this.loadedState.retries + 1;
    this.#storage.transactionSync(() => {
      const figures = structuredClone(this.loadedState.figures);
      for (const [number, endpoints] of failed) {
        const item = Math.floor(number / this.plan.repeat);
        const { finished, passes } = this.#passesOf(item);
        if (finished === this.plan.repeat && this.item(item).expect) countPasses(figures, passes, -1);
        this.#sql.exec("UPDATE items SET finished = finished - 1 WHERE number = ?", item);
        this.keepOpen({ number, sessionId: null, attempt: retries * ATTEMPTS_A_RETRY, nextTurn: 0, endpoints });
      }
      this.update({ figures, retries });
    });
    return true;
  }

  /** Adds the answers of a turn, or replaces earlier ones. With the last turn the conversation ends. */
  addAnswers(conversation: OpenConversation, item: StoredItem, turn: number, answers: NewAnswer[]): void {
    this.#inTransaction(() => {
      const { figures, progress } = structuredClone(this.loadedState);
      const { finished, passes } = this.#passesOf(item.number);
      for (const answer of answers) {
        const before = this.#addAnswer(conversation, item, turn, answer);
        const ofEndpoint = figures[answer.endpoint] ?? noFigures();
        if (before) countIn(progress, passes, ofEndpoint, answer.endpoint, before, -1);
        countIn(progress, passes, ofEndpoint, answer.endpoint, answer, 1);
      }
      const isLast = turn + 1 === item.turns;
      if (isLast) this.#sql.exec("DELETE FROM conversations WHERE number = ?", conversation.number);
      else this.keepOpen({ ...conversation, nextTurn: turn + 1 });
      if (isLast) this.#sql.exec(END_CONVERSATION, JSON.stringify(passes), item.number);
      if (isLast && item.expect && finished + 1 === this.plan.repeat) countPasses(figures, passes, 1);
      this.update({ figures, progress });
    });
  }

  #inTransaction(work: () => void): void {
    try {
      this.#storage.transactionSync(work);
    } catch (error) {
      this.counts.forget();
      throw error;
    }
  }

  /** @returns what was counted of the answer that it replaces; `null` for none */
  #addAnswer(
    { number: conversation, sessionId }: OpenConversation,
    { number: item, firstTurn, turns }: StoredItem,
    turn: number,
    answer: NewAnswer,
  ): CountedAnswer | null {
    const { repeat, endpoints } = this.plan;
    const repetition = conversation % repeat;
    const number = (firstTurn * repeat + repetition * turns + turn) * endpoints.length + answer.endpoint;
    const before = this.#countedAnswer(number);
    if (before) this.counts.add(number, answer.endpoint, before, -1);
    this.counts.add(number, answer.endpoint, answer, 1);
    const { record, status, errorCode, durationMs, ttftMs, inputTokens, outputTokens, cost, text } = answer;
    const pass = answer.pass === null ? null : Number(answer.pass);
    const place = [number, item, repetition, turn, answer.endpoint, sessionId ?? "", record];
    const counted = [status, errorCode, pass, durationMs, ttftMs, inputTokens, outputTokens, cost];
    this.#sql.exec(WRITE_ANSWER, ...place, ...counted, text);
    return before;
  }

  #countedAnswer(number: number): CountedAnswer | null {
    const [row] = this.#sql.exec<Record<string, SqlStorageValue>>(READ_COUNTED, number).toArray();
    return row ? ({ ...row, pass: row["pass"] === null ? null : row["pass"] === 1 } as unknown as CountedAnswer) : null;
  }

  /** How many repetitions of an item have ended, and how many of them each endpoint has passed. */
  #passesOf(item: number): { finished: number; passes: Record<string, number> } {
    const { finished, passes } = this.#sql.exec<{ finished: number; passes: string }>(READ_PASSES, item).one();
    return { finished, passes: JSON.parse(passes) as Record<string, number> };
  }
}

/** Counts an answer in everything that is counted, or takes it out again. Changes what it gets. */
function countIn(
  progress: RunProgress,
  passes: Record<string, number>,
  ofEndpoint: RunFigures,
  endpoint: number,
  answer: CountedAnswer,
  by: 1 | -1,
): void {
  countAnswer(ofEndpoint, answer, by);
  progress.done += by;
  if (answer.status !== "ok") progress.errors += by;
  if (answer.pass) add(passes, String(endpoint), by);
}

/** Counts an item whose repetitions are all judged. Changes the figures. */
function countPasses(figures: RunFigures[], passes: Record<string, number>, by: 1 | -1): void {
  for (const [endpoint, ofEndpoint] of figures.entries()) countItem(ofEndpoint, passes[endpoint] ?? 0, by);
}
