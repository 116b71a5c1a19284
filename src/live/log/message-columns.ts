/**
 * Messages as columns: the form in which many of them pass from the object to the Worker. The runtime copies a thousand
 * objects with their names five times as slowly, and the object parses no detail of a reply. Pure.
 */
import type { Message, ReplyDetail } from "../../core/message.ts";
import { withOptional } from "./message-rows.ts";
import type { MessageRow } from "./message-rows.ts";

/** The messages of a batch. An item of each list belongs to one message. */
export interface MessageColumns {
  seqs: Float64Array;
  chatIds: RepeatedValues<string | null>;
  turnIds: RepeatedValues<string | null>;
  turnNumbers: (number | null)[];
  roles: RepeatedValues<Message["role"]>;
  contents: string[];
  createdAts: Float64Array;
  /** The details of replies as JSON text. */
  details: (string | null)[];
  /** The authors as JSON text. */
  authors: RepeatedValues<string | null>;
  /** Absent from an object of the last release. */
  parentSeqs?: (number | null)[];
}

/** A list in which few values are repeated: for each item, the index of its value. */
interface RepeatedValues<T> {
  values: T[];
  indexes: Uint32Array;
}

/** In one pass, with loops: `from` of a typed array takes several times as long. */
export function toColumns(rows: MessageRow[]): MessageColumns {
  const [seqs, createdAts] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  const turnNumbers: (number | null)[] = [];
  const contents: string[] = [];
  const details: (string | null)[] = [];
  const parentSeqs: (number | null)[] = [];
  const chatIds = new RepeatedColumn<string | null>(rows.length);
  const turnIds = new RepeatedColumn<string | null>(rows.length);
  const roles = new RepeatedColumn<Message["role"]>(rows.length);
  const authors = new RepeatedColumn<string | null>(rows.length);
  let nth = 0;
  for (const [seq, chatId, turnId, role, content, createdAt, detail, , turnNumber, author, parentSeq] of rows) {
    seqs[nth] = seq;
    createdAts[nth] = createdAt;
    chatIds.set(nth, chatId);
    turnIds.set(nth, turnId);
    roles.set(nth, role);
    turnNumbers.push(turnNumber);
    contents.push(content);
    details.push(detail);
    authors.set(nth, author);
    parentSeqs.push(parentSeq);
    nth += 1;
  }
  const repeated = {
    chatIds: chatIds.column,
    turnIds: turnIds.column,
    roles: roles.column,
    authors: authors.column,
  };
  return { seqs, ...repeated, turnNumbers, contents, createdAts, details, parentSeqs };
}

/** Collects the values of a column. Most are the same as the one before. */
class RepeatedColumn<T> {
  readonly column: RepeatedValues<T>;
  readonly #indexes = new Map<T, number>();
  #last: { value: T; index: number } | null = null;

  constructor(length: number) {
    this.column = { values: [], indexes: new Uint32Array(length) };
  }

  set(nth: number, value: T): void {
    if (this.#last?.value !== value) this.#last = { value, index: this.#indexOf(value) };
    this.column.indexes[nth] = this.#last.index;
  }

  #indexOf(value: T): number {
    const found = this.#indexes.get(value);
    if (found !== undefined) return found;
    this.#indexes.set(value, this.column.values.length);
    return this.column.values.push(value) - 1;
  }
}

export function fromColumns(columns: MessageColumns): Message[] {
  const {
    seqs,
    chatIds,
    turnIds,
    turnNumbers,
    roles,
    contents,
    createdAts,
    details,
    authors,
    parentSeqs = [],
  } = columns;
  return contents.map((content, nth) => {
    const detail = details[nth] ?? null;
    const message = {
      seq: seqs[nth] ?? 0,
      chatId: valueAt(chatIds, nth),
      turnId: valueAt(turnIds, nth),
      turnNumber: turnNumbers[nth] ?? null,
      role: valueAt(roles, nth),
      content,
      createdAt: createdAts[nth] ?? 0,
      reply: detail === null ? null : (JSON.parse(detail) as ReplyDetail),
    };
    return withOptional(message, valueAt(authors, nth), parentSeqs[nth] ?? null);
  });
}

const valueAt = <T>({ values, indexes }: RepeatedValues<T>, nth: number): T => values[indexes[nth] ?? 0] as T;
