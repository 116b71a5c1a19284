/**
 * Writes messages of a session to D1 by group commit. Writes that include the session's state are in `sessions.ts`.
 * Effects: D1.
 */
import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { insertRows, insertTurns, toBoundValues, turnsOf } from "./message-rows.ts";
import type { BoundTurn, BoundValues } from "./message-rows.ts";

/** A row of one of the two tables. */
type Item = { message: BoundValues } | { turn: BoundTurn };

/**
 * Two transactions at a time: the next one is sent while the first is written. Without this compatibility flag a
 * promise continues in the invocation that resolves it, so no write can wait for another one.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
const groupCommit = new GroupCommit<Item>(
  Cloudflare.compatibilityFlags["handle_cross_request_promise_resolution"] === true ? 2 : Infinity,
);

/** The size of a message besides its text, in characters, so that a transaction has at most a hundred messages. */
const ROW_OVERHEAD = 2_500;

const sizeOf = (row: BoundValues): number =>
  row.reduce<number>((size, value) => size + (typeof value === "string" ? value.length : 0), ROW_OVERHEAD);

/**
 * Writes messages in one transaction with those of other sessions: it costs about the same for one message and for ten.
 * Idempotent.
 *
 * @param waitUntilDurable waits until the messages are durable in the session's object
 */
export function writeMessages(
  db: Database,
  sessionId: string,
  log: Message[],
  appendedAt: EpochMs,
  waitUntilDurable: () => Promise<void>,
): Promise<void> {
  const rows = log.map(toBoundValues(sessionId, appendedAt));
  return groupCommit.commit({
    items: [...rows.map((message) => ({ message })), ...turnsOf(sessionId, log).map((turn) => ({ turn }))],
    size: rows.reduce((size, row) => size + sizeOf(row), 0),
    waitUntilDurable,
    async write(items) {
      const messages = items.flatMap((item) => ("message" in item ? [item.message] : []));
      const turns = items.flatMap((item) => ("turn" in item ? [item.turn] : []));
      await db.$client.batch([...insertRows(db, messages), ...insertTurns(db, turns)]);
    },
  });
}
