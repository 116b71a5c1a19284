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

/** Subscriptions whose key was revoked: those of one key, or of any key up to the limit. */
export const subscriptionsOfRevokedKeys = (
  db: Database,
  keyId: string | null,
  limit: number,
): Promise<Subscription[]> =>
  db
    .select()
    .from(subscriptions)
    .where(
      and(
        keyId === null ? undefined : eq(subscriptions.keyId, keyId),
        sql`not exists (select 1 from ${apiKeys} where ${apiKeys.id} = ${subscriptions.keyId})`,
      ),
    )
    .limit(limit);

export async function removeSubscription(db: Database, { keyId, sessionId }: Subscription): Promise<void> {
  await db.delete(subscriptions).where(and(eq(subscriptions.keyId, keyId), eq(subscriptions.sessionId, sessionId)));
}

/** The statement that deletes a session's subscriptions. */
export const removeSubscriptions = (db: Database, sessionId: string) =>
  db.delete(subscriptions).where(eq(subscriptions.sessionId, sessionId));
