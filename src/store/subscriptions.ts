/**
 * Subscriptions in D1: which API key has an open stream of which session, so that revoking a key can close its streams.
 * The open streams themselves are in `live/streaming`. Effects: D1.
 */
import { and, eq, sql } from "drizzle-orm";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { subscriptions, apiKeys, sessions } from "./tables.ts";

type Subscription = typeof subscriptions.$inferSelect;

/**
 * Adds a subscription and checks in the same round trip whether the key still exists. A subscription that is added
 * before the key is revoked is found by the revocation.
 *
 * @returns whether the key exists
 */
export async function addSubscription(db: Database, { keyId, sessionId }: Subscription): Promise<boolean> {
  const keyExists = sql`exists (select 1 from ${apiKeys} where ${apiKeys.id} = ${keyId})`;
  const sessionExists = sql`exists (select 1 from ${sessions} where ${sessions.id} = ${sessionId})`;
  const subscription = sql`select ${keyId}, ${sessionId} where ${keyExists} and ${sessionExists}`;
  const insert = db.insert(subscriptions).select(subscription).onConflictDoNothing();
  const findKey = db.select({ id: apiKeys.id }).from(apiKeys).where(eq(apiKeys.id, keyId));
  const [, [key]] = await retryOnce(() => db.batch([insert, findKey]));
  return key !== undefined;
}

/** A subscription whose key was revoked, and whether its session is open. Only then can a stream of it be open. */
export type RevokedSubscription = Subscription & { isOpen: boolean };

// Steps from one key to the next in the primary key, so that it reads no subscription of a key that exists.
const REVOKED_KEYS = `WITH RECURSIVE holders (id) AS (
    SELECT min(key_id) FROM subscriptions
    UNION ALL SELECT (SELECT min(key_id) FROM subscriptions WHERE key_id > holders.id) FROM holders WHERE holders.id IS NOT NULL)
  SELECT id FROM holders WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = holders.id)`;

/** Subscriptions whose key was revoked: those of one key, or of any key up to the limit. */
export async function subscriptionsOfRevokedKeys(
  db: Database,
  keyId: string | null,
  limit: number,
): Promise<RevokedSubscription[]> {
  const revoked = sql.raw(REVOKED_KEYS);
  const isRevoked =
    keyId === null
      ? sql`${subscriptions.keyId} in (${revoked})`
      : sql`${subscriptions.keyId} = ${keyId} and not exists (select 1 from ${apiKeys} where ${apiKeys.id} = ${keyId})`;
  const rows = await db
    .select({ keyId: subscriptions.keyId, sessionId: subscriptions.sessionId, status: sessions.status })
    .from(subscriptions)
    .leftJoin(sessions, eq(sessions.id, subscriptions.sessionId))
    .where(isRevoked)
    .limit(limit);
  return rows.map(({ status, ...subscription }) => ({
    ...subscription,
    isOpen: status === "ACTIVE" || status === "SCHEDULED",
  }));
}

export async function removeSubscription(db: Database, { keyId, sessionId }: Subscription): Promise<void> {
  await db.delete(subscriptions).where(and(eq(subscriptions.keyId, keyId), eq(subscriptions.sessionId, sessionId)));
}

/** The statement that deletes a session's subscriptions. */
export const removeSubscriptions = (db: Database, sessionId: string) =>
  db.delete(subscriptions).where(eq(subscriptions.sessionId, sessionId));
