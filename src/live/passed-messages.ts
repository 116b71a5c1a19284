/**
 * How the messages of a log pass from the object to the Worker: as columns for a Worker that takes them, as messages for
 * one of the last release. The columns are in `log/message-columns.ts`. Pure.
 */
import type { Outcome } from "../core/failure.ts";
import { success } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import type { TreeShape } from "../core/message-tree.ts";
import type { Batch } from "../core/page.ts";
import { fromColumns, toColumns } from "./log/message-columns.ts";
import type { MessageColumns } from "./log/message-columns.ts";
import type { RowBatch } from "./log/message-rows.ts";
import type { SessionResult } from "./session-results.ts";

/** A result within the object. Messages that were read from the log are a batch; `messages` is empty then. */
export type InRoom<Result extends SessionResult> = Result & { batch?: RowBatch };

export type ResultInRoom = Outcome<InRoom<SessionResult>>;

/** A batch as it passes. `items` is empty if it has columns. */
export interface PassedBatch extends Batch<Message> {
  columns?: MessageColumns;
  /** Present only if it was asked for. */
  tree?: TreeShape;
}

export function passResult<R extends SessionResult>(outcome: Outcome<InRoom<R>>, inColumns?: boolean): Outcome<R>;
export function passResult<R extends SessionResult>(
  outcome: Outcome<InRoom<R> | null>,
  inColumns?: boolean,
): Outcome<R | null>;
export function passResult(outcome: Outcome<InRoom<SessionResult> | null>, inColumns = false) {
  if (!outcome.ok || !outcome.value?.batch) return outcome;
  const { batch, ...result } = outcome.value;
  return success({ ...result, ...(inColumns ? { columns: toColumns(batch.rows) } : { messages: batch.items }) });
}

/** @param tree the shape of the log's tree, for a caller that wants it */
export function passBatch(
  outcome: Outcome<RowBatch | null>,
  inColumns = false,
  tree: TreeShape | null = null,
): Outcome<PassedBatch | null> {
  if (!outcome.ok || !outcome.value) return outcome;
  const batch = outcome.value;
  const rest = { hasMore: batch.hasMore, ...(tree ? { tree } : {}) };
  return success(inColumns ? { items: [], columns: toColumns(batch.rows), ...rest } : { items: batch.items, ...rest });
}

/** What a method has answered, with messages again. An object of the last release has sent no columns. */
export function takePassed(answer: unknown): unknown {
  const outcome = answer as Outcome<SessionResult | PassedBatch | null>;
  if (!outcome.ok || !outcome.value?.columns) return answer;
  const { columns, ...value } = outcome.value;
  const messages = fromColumns(columns);
  return success("items" in value ? { ...value, items: messages } : { ...value, messages });
}
