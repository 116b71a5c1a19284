import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { insertRows, toBoundValues } from "./message-rows.ts";
import type { BoundValues } from "./message-rows.ts";

/**
 * While one transaction is written, the next is on its way. Where a promise would go on in the invocation that settles it
 * instead of the one that made it, nobody can wait for another's.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
const groupCommit = new GroupCommit<BoundValues>(
  Cloudflare.compatibilityFlags["handle_cross_request_promise_resolution"] === true ? 2 : Infinity,
);

/** What a message counts for beside its text in a transaction with others, in characters: so a hundred go together at most. */
const ROW_OVERHEAD = 2_500;

const sizeOf = (row: BoundValues): number =>
  row.reduce<number>((size, value) => size + (typeof value === "string" ? value.length : 0), ROW_OVERHEAD);

/**
 * Carries messages of a session to the index database, in one transaction with what other sessions carry meanwhile: it
 * costs much the same for one message and for ten. Idempotent.
 *
 * @param waitUntilDurable waits until the messages are durable where they come from
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
    items: rows,
    size: rows.reduce((size, row) => size + sizeOf(row), 0),
    waitUntilDurable,
    async write(items) {
      await db.$client.batch(insertRows(db, items));
    },
  });
}
