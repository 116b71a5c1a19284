/** What can be made of the answers, and what the views of it get. */
import type { Column } from "../columns.ts";
import type { Turn } from "../comparison.ts";

export type Result =
  /** @param fromEnd 1 for the last turn */
  | { kind: "receipt"; chatId: string; fromEnd: number }
  | { kind: "difference"; turn: Turn }
  | { kind: "statistics" }
  | { kind: "export" };

export interface ResultProps<R extends Result = Result> {
  id: string;
  result: R;
  columns: Column[];
}
