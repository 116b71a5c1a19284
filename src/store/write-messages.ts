import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { insertRows, insertTurns, turnsOf, valuesOf } from "./message-rows.ts";
import type { TurnValues, Values } from "./message-rows.ts";

/** A row of one of the two tables. */
type Item = { message: Values } | { turn: TurnValues };

/**
 * While one transaction is written, the next is on its way. Where a promise would go on in the invocation that settles it
 * instead of the one that made it, nobody can wait for another's.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
const together = new GroupCommit<Item>(
  Cloudflare.compatibilityFlags["handle_cross_request_promise_resolution"] === true ? 2 : Infinity,
);

/** What a message counts for beside its text in a transaction with others, in characters: so a hundred go together at most. */
const EACH = 2_500;

const sizeOf = (row: Values): number =>
  row.reduce<number>((size, value) => size + (typeof value === "string" ? value.length : 0), EACH);

/**
 * Carries messages of a session to the index database, in one transaction with what other sessions carry meanwhile: it
 * costs much the same for one message and for ten. Idempotent.
 *
 * @param durable waits until the messages are durable where they come from
 */
export function writeMessages(
  db: Database,
  sessionId: string,
  log: Message[],
  appendedAt: EpochMs,
  durable: () => Promise<void>,
): Promise<void> {
  const rows = log.map(valuesOf(sessionId, appendedAt));
  return together.commit({
    items: [...rows.map((message) => ({ message })), ...turnsOf(sessionId, log).map((turn) => ({ turn }))],
    size: rows.reduce((size, row) => size + sizeOf(row), 0),
    durable,
    async write(items) {
      const messages = items.flatMap((item) => ("message" in item ? [item.message] : []));
      const turns = items.flatMap((item) => ("turn" in item ? [item.turn] : []));
      await db.$client.batch([...insertRows(db, messages), ...insertTurns(db, turns)]);
    },
  });
}
