import { and, eq, isNull, lt, or } from "drizzle-orm";
import { IDEMPOTENCY_PERIOD_MS } from "../core/idempotency.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./tables.ts";

export type SavedResponse = typeof idempotencyKeys.$inferSelect;

/** How long answers are kept, and how long a call may take before it counts as lost: in milliseconds. */
const CLAIM_TIMEOUT_MS = 60_000;

/** A key that a call lays claim to. */
export type Claim = Pick<SavedResponse, "caller" | "key" | "fingerprint" | "at">;

const matches = ({ caller, key }: Pick<Claim, "caller" | "key">) =>
  and(eq(idempotencyKeys.caller, caller), eq(idempotencyKeys.key, key));

/**
 * Claims a key for a call. One round trip.
 *
 * @returns `null` when it is claimed, and otherwise what is known of the call that came first
 */
export async function claimKey(db: Database, claim: Claim): Promise<SavedResponse | null> {
  const isAbandoned = and(isNull(idempotencyKeys.httpStatus), lt(idempotencyKeys.at, claim.at - CLAIM_TIMEOUT_MS));
  const [, inserted, [existing]] = await db.batch([
    db
      .delete(idempotencyKeys)
      .where(and(matches(claim), or(lt(idempotencyKeys.at, claim.at - IDEMPOTENCY_PERIOD_MS), isAbandoned))),
    db.insert(idempotencyKeys).values(claim).onConflictDoNothing().returning({ key: idempotencyKeys.key }),
    db.select().from(idempotencyKeys).where(matches(claim)),
  ]);
  return inserted.length > 0 ? null : (existing ?? null);
}

/**
 * The statement that keeps what the first call is answered, for the transaction of what it creates: behind the statement
 * that does, and only if that does.
 */
export const saveResponse = (
  db: Database,
  { caller, key }: Claim,
  httpStatus: number,
  body: string,
): D1PreparedStatement =>
  db.$client
    .prepare("UPDATE idempotency_keys SET http_status = ?, body = ? WHERE caller = ? AND key = ? AND changes() > 0")
    .bind(httpStatus, body, caller, key);

/** Gives a key back whose call created nothing: it may come again. */
export async function releaseKey(db: Database, claim: Claim): Promise<void> {
  await db.delete(idempotencyKeys).where(and(matches(claim), isNull(idempotencyKeys.httpStatus)));
}

/** Forgets what was answered more than a day ago. */
export async function deleteExpiredResponses(db: Database, at: EpochMs): Promise<void> {
  await db.delete(idempotencyKeys).where(lt(idempotencyKeys.at, at - IDEMPOTENCY_PERIOD_MS));
}
