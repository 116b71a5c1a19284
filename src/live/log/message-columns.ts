/**
 * Messages as columns: the form in which many of them pass from the object to the Worker. The runtime copies a thousand
 * objects with their names five times as slowly, and the object parses no detail of a reply. Pure.
 */
import type { Message, ReplyDetail } from "../../core/message.ts";
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
}

/** A list in which few values are repeated: for each item, the index of its value. */
interface RepeatedValues<T> {
  values: T[];
  indexes: Uint32Array;
}

export function toColumns(rows: MessageRow[]): MessageColumns {
  return {
    seqs: Float64Array.from(rows, ([seq]) => seq),
    chatIds: withoutRepetition(rows, ([, chatId]) => chatId),
    turnIds: withoutRepetition(rows, ([, , turnId]) => turnId),
    turnNumbers: rows.map((row) => row[8]),
    roles: withoutRepetition(rows, ([, , , role]) => role),
    contents: rows.map(([, , , , content]) => content),
    createdAts: Float64Array.from(rows, (row) => row[5]),
    details: rows.map((row) => row[6]),
  };
}

function withoutRepetition<T>(rows: MessageRow[], valueOf: (row: MessageRow) => T): RepeatedValues<T> {
  const found = new Map<T, number>();
  const indexes = Uint32Array.from(rows, (row) => {
    const value = valueOf(row);
    const index = found.get(value) ?? found.size;
    if (index === found.size) found.set(value, index);
    return index;
  });
  return { values: [...found.keys()], indexes };
}

export function fromColumns(columns: MessageColumns): Message[] {
  const { seqs, chatIds, turnIds, turnNumbers, roles, contents, createdAts, details } = columns;
  return contents.map((content, nth) => {
    const detail = details[nth] ?? null;
    return {
      seq: seqs[nth] ?? 0,
      chatId: valueAt(chatIds, nth),
      turnId: valueAt(turnIds, nth),
      turnNumber: turnNumbers[nth] ?? null,
      role: valueAt(roles, nth),
      content,
      createdAt: createdAts[nth] ?? 0,
      reply: detail === null ? null : (JSON.parse(detail) as ReplyDetail),
    };
  });
}

const valueAt = <T>({ values, indexes }: RepeatedValues<T>, nth: number): T => values[indexes[nth] ?? 0] as T;
