import { and, eq, isNull, lt, or } from "drizzle-orm";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./tables.ts";

export type SavedAnswer = typeof idempotencyKeys.$inferSelect;

/** How long answers are kept, and how long a call may take before it counts as lost: in milliseconds. */
const KEEP_MS = 86_400_000;
const LOST_MS = 60_000;

/** A key that a call lays claim to. */
export type Claim = Pick<SavedAnswer, "caller" | "key" | "fingerprint" | "at">;

const of = ({ caller, key }: Pick<Claim, "caller" | "key">) =>
  and(eq(idempotencyKeys.caller, caller), eq(idempotencyKeys.key, key));

/**
 * Claims a key for a call. One round trip.
 *
 * @returns `null` when it is claimed, and otherwise what is known of the call that came first
 */
export async function claimKey(db: Database, claim: Claim): Promise<SavedAnswer | null> {
  const lost = and(isNull(idempotencyKeys.httpStatus), lt(idempotencyKeys.at, claim.at - LOST_MS));
  const [, claimed, [first]] = await db.batch([
    db.delete(idempotencyKeys).where(and(of(claim), or(lt(idempotencyKeys.at, claim.at - KEEP_MS), lost))),
    db.insert(idempotencyKeys).values(claim).onConflictDoNothing().returning({ key: idempotencyKeys.key }),
    db.select().from(idempotencyKeys).where(of(claim)),
  ]);
  return claimed.length > 0 ? null : (first ?? null);
}

/**
 * The statement that keeps what the first call is answered, for the transaction of what it creates: behind the statement
 * that does, and only if that does.
 */
export const saveAnswer = (
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
  await db.delete(idempotencyKeys).where(and(of(claim), isNull(idempotencyKeys.httpStatus)));
}

/** Forgets what was answered more than a day ago. */
export async function deleteExpiredAnswers(db: Database, at: EpochMs): Promise<void> {
  await db.delete(idempotencyKeys).where(lt(idempotencyKeys.at, at - KEEP_MS));
}
