/**
 * Subscriptions in D1: who has an open stream of which session, by API key or client, so that revoking the key or
 * deleting the client can close the streams. The open streams themselves are in `live/streaming`. Effects: D1.
 */
import { and, eq, not, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { apiKeys, revocations, subscriptions } from "./access-tables.ts";
import { clients, sessions } from "./tables.ts";

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

/** Subscriptions whose key was revoked or whose client was deleted: of some keys and clients, or of any. */
export async function revokedSubscriptions(
  db: Database,
  keyIds: string[] | null,
  limit: number,
): Promise<RevokedSubscription[]> {
  const revoked =
    keyIds === null
      ? sql`select ${revocations.keyId} from ${revocations}`
      : sql`select value from json_each(${JSON.stringify(keyIds)}) where not ${exists(sql.raw("value"))}`;
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

/** Forgets revocations of which no subscription is left. */
export async function forgetClosedRevocations(db: Database): Promise<void> {
  const isOpen = sql`exists (select 1 from ${subscriptions} where ${subscriptions.keyId} = ${revocations.keyId})`;
  await db.delete(revocations).where(not(isOpen));
}

export async function removeSubscription(db: Database, { keyId, sessionId }: Subscription): Promise<void> {
  await db.delete(subscriptions).where(and(eq(subscriptions.keyId, keyId), eq(subscriptions.sessionId, sessionId)));
}

/** The statement that deletes a session's subscriptions. */
export const removeSubscriptions = (db: Database, sessionId: string) =>
  db.delete(subscriptions).where(eq(subscriptions.sessionId, sessionId));
