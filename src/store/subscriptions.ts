/**
 * Subscriptions in D1: who has an open stream of which session, by API key or client, so that revoking the key or
 * deleting the client can close the streams. The open streams themselves are in `live/streaming`. Effects: D1.
 */
import { and, eq, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { subscriptions, apiKeys, clients, sessions } from "./tables.ts";

type Subscription = typeof subscriptions.$inferSelect;

/** Whether a key or a client exists. Behind `client:` is the client's id; no id of a key is as long. */
const exists = (keyId: SQL): SQL =>
  sql`(exists (select 1 from ${apiKeys} where ${apiKeys.id} = ${keyId})
    or exists (select 1 from ${clients} where ${clients.id} = substr(${keyId}, 8) and ${clients.deletedAt} is null))`;

/**
 * Adds a subscription and checks in the same round trip whether its key or client still exists. A subscription that is
 * added before these are deleted is found then.
 *
 * @returns whether the key or client exists
 */
export async function addSubscription(db: Database, { keyId, sessionId }: Subscription): Promise<boolean> {
  const keyExists = exists(sql`${keyId}`);
  const sessionExists = sql`exists (select 1 from ${sessions} where ${sessions.id} = ${sessionId})`;
  const subscription = sql`select ${keyId}, ${sessionId} where ${keyExists} and ${sessionExists}`;
  const insert = db.insert(subscriptions).select(subscription).onConflictDoNothing();
  const check = db.select({ found: sql<number>`${keyExists}` }).from(sql`(select 1)`);
  const [, [checked]] = await retryOnce(() => db.batch([insert, check]));
  return checked?.found === 1;
}

/** A subscription that was revoked, and whether its session is open. Only then can a stream of it be open. */
export type RevokedSubscription = Subscription & { isOpen: boolean };

// Steps from one key to the next in the primary key, so that it reads no subscription of a key that exists.
const HOLDERS = `WITH RECURSIVE holders (value) AS (
    SELECT min(key_id) FROM subscriptions
    UNION ALL
    SELECT (SELECT min(key_id) FROM subscriptions WHERE key_id > holders.value) FROM holders WHERE holders.value IS NOT NULL)
  SELECT value FROM holders`;

/** Subscriptions whose key was revoked or whose client was deleted: of some keys and clients, or of any. */
export async function revokedSubscriptions(
  db: Database,
  keyIds: string[] | null,
  limit: number,
): Promise<RevokedSubscription[]> {
  const holders = keyIds === null ? sql.raw(HOLDERS) : sql`select value from json_each(${JSON.stringify(keyIds)})`;
  const revoked = sql`select value from (${holders}) where value is not null and not ${exists(sql.raw("value"))}`;
  const rows = await db
    .select({ keyId: subscriptions.keyId, sessionId: subscriptions.sessionId, status: sessions.status })
    .from(subscriptions)
    .leftJoin(sessions, eq(sessions.id, subscriptions.sessionId))
    .where(sql`${subscriptions.keyId} in (${revoked})`)
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
