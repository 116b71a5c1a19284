/**
 * Idempotency keys in D1, for requests that create something: the first response under a key is saved and sent again.
 * Keys of prompts and messages are in the session's object (`live/log/idempotency.ts`). Effects: D1.
 */
import { and, eq, isNull, lt, or, sql } from "drizzle-orm";
import { IDEMPOTENCY_PERIOD_MS } from "../core/idempotency.ts";
import type { EpochMs } from "../core/time.ts";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./access-tables.ts";

/** What a response created: the type of the resource, and its id. */
export type CreatedResource =
  `${"session" | "chatbot" | "client" | "endpoint" | "prompt-template" | "bookmark" | "run"}:${string}`;

export type SavedResponse = typeof idempotencyKeys.$inferSelect;

/** A claim without a response expires after this time, in milliseconds: its request may have crashed. */
const CLAIM_TIMEOUT_MS = 60_000;

/** A request's claim to a key. */
export type Claim = Pick<SavedResponse, "caller" | "key" | "fingerprint" | "at">;

const matches = ({ caller, key }: Pick<Claim, "caller" | "key">) =>
  and(eq(idempotencyKeys.caller, caller), eq(idempotencyKeys.key, key));

/**
 * Claims a key for a request. One round trip.
 *
 * @returns `null` if the claim succeeded; otherwise the record of the first request
 */
export async function claimKey(db: Database, claim: Claim): Promise<SavedResponse | null> {
  const isAbandoned = and(isNull(idempotencyKeys.httpStatus), lt(idempotencyKeys.at, claim.at - CLAIM_TIMEOUT_MS));
  return retryOnce(async (isSecond) => {
    const [, inserted, [existing = null]] = await db.batch([
      db
        .delete(idempotencyKeys)
        .where(and(matches(claim), or(lt(idempotencyKeys.at, claim.at - IDEMPOTENCY_PERIOD_MS), isAbandoned))),
      db.insert(idempotencyKeys).values(claim).onConflictDoNothing().returning({ key: idempotencyKeys.key }),
      db.select().from(idempotencyKeys).where(matches(claim)),
    ]);
    const isOwn = inserted.length > 0 || (isSecond && existing?.at === claim.at && existing.httpStatus === null);
    return isOwn ? null : existing;
  });
}

/**
 * The statement that saves the response of the first request. Place it in the transaction directly after the statement
 * that creates the resource: it does nothing if that one changed nothing.
 */
export const saveResponse = (
  db: Database,
  { caller, key }: Claim,
  response: { httpStatus: number; body: string; resource: CreatedResource },
): D1PreparedStatement =>
  db.$client
    .prepare(
      "UPDATE idempotency_keys SET http_status = ?, body = ?, resource = ? WHERE caller = ? AND key = ? AND changes() > 0",
    )
    .bind(response.httpStatus, response.body, response.resource, caller, key);

/**
 * The statement that forgets the response that created a resource. Place it in the transaction directly after the
 * statement that deletes the resource: it does nothing if that one changed nothing. Otherwise a repeated request would
 * get what was deleted, and its text would be kept for the rest of the day.
 */
export const forgetResponse = (db: Database, resource: CreatedResource) =>
  db.delete(idempotencyKeys).where(and(eq(idempotencyKeys.resource, resource), sql`changes() > 0`));

/** Releases the key of a request that created nothing, so that the request can be repeated. */
export async function releaseKey(db: Database, claim: Claim): Promise<void> {
  await db.delete(idempotencyKeys).where(and(matches(claim), isNull(idempotencyKeys.httpStatus)));
}

/** Deletes responses whose period is over. */
export async function deleteExpiredResponses(db: Database, at: EpochMs): Promise<void> {
  await db.delete(idempotencyKeys).where(lt(idempotencyKeys.at, at - IDEMPOTENCY_PERIOD_MS));
}
