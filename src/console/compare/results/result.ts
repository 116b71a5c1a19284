/** What can be made of the answers, and what the views of it get. */
import type { Column } from "../columns.ts";
import type { Turn } from "../comparison.ts";

/** Of an answer to a turn of the chat that the comparison was made from. */
export interface Adoptable {
  /** The chat. */
  from: string;
  /** Its number among the turns of the chat, from 1. */
  turn: number;
  /** What was adopted in the place of the recorded answer: the `seq` of the message in the chat, by the chat of the answer. */
  adopted: ReadonlyMap<string, number>;
}

export type Result =
  /** @param number of the turn, from 1, as records have it */
  | { kind: "receipt"; chatId: string; number: number }
  | ({ kind: "adopt"; chatId: string; number: number } & Adoptable)
  | { kind: "bookmark"; chatId: string; number: number }
  | { kind: "difference"; turn: Turn }
  | { kind: "statistics" }
  | { kind: "export" };

export interface ResultProps<R extends Result = Result> {
  id: string;
  result: R;
  columns: Column[];
  /** All that there are. */
  turns: Turn[];
}
