/**
 * API keys in D1. Who holds a key is decided in `auth/api-keys.ts`. Effects: D1.
 */
import { and, desc, eq, lt, sql } from "drizzle-orm";
import type { ApiKey } from "../core/api-key.ts";
import type { PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { insertOnce } from "./insert-once.ts";
import { apiKeys, subscriptions } from "./access-tables.ts";
import { clients } from "./tables.ts";

/** How many keys with open streams to find when a client is deleted. Cron closes the streams of others. */
const MAX_FOUND_KEYS = 400;

/** @param hash lower-case hex SHA-256 of the key. The key itself is never stored. */
export async function createKey(db: Database, key: ApiKey, hash: string): Promise<void> {
  await insertOnce(db, apiKeys, { ...key, hash }, apiKeys.id);
}

const columns = {
  id: apiKeys.id,
  name: apiKeys.name,
  role: apiKeys.role,
  clientId: apiKeys.clientId,
  expiresAt: apiKeys.expiresAt,
  lastUsedAt: apiKeys.lastUsedAt,
  createdAt: apiKeys.createdAt,
};

/** Whether a key has no client, or one that was not deleted. */
const hasClient = sql`(${apiKeys.clientId} is null
  or exists (select 1 from ${clients} where ${clients.id} = ${apiKeys.clientId} and ${clients.deletedAt} is null))`;

/** Newest first: ids sort by creation. */
export const listKeys = (db: Database, { limit, skip }: PageRequest): Promise<ApiKey[]> =>
  db.select(columns).from(apiKeys).orderBy(desc(apiKeys.id)).limit(limit).offset(skip);

/** A key whose client was deleted is not found. */
export async function findKeyByHash(db: Database, hash: string): Promise<ApiKey | null> {
  const isValid = and(eq(apiKeys.hash, hash), hasClient);
  return (await db.select(columns).from(apiKeys).where(isValid).get()) ?? null;
}

/** Writes one row. */
export async function recordKeyUse(db: Database, id: string, at: EpochMs): Promise<void> {
  await db.update(apiKeys).set({ lastUsedAt: at }).where(eq(apiKeys.id, id));
}

/**
 * The statements that find and delete the keys of a client, if that was deleted. Found are only some of those with open
 * streams: a client has any number of keys, because services make short ones for it.
 */
export function deleteKeysOfDeletedClient(db: Database, clientId: string) {
  const isDeleted = sql`exists (select 1 from ${clients} where ${clients.id} = ${clientId} and ${clients.deletedAt} is not null)`;
  const isOfClient = and(eq(apiKeys.clientId, clientId), isDeleted);
  const isSubscribed = sql`exists (select 1 from ${subscriptions} where ${subscriptions.keyId} = ${apiKeys.id})`;
  const find = db.select({ id: apiKeys.id }).from(apiKeys).where(and(isOfClient, isSubscribed)).limit(MAX_FOUND_KEYS);
  return [find, db.delete(apiKeys).where(isOfClient)] as const;
}

/** Deletes keys that expired before a time, so that short keys for clients do not pile up. */
export const deleteKeysExpiredBefore = async (db: Database, before: EpochMs): Promise<void> => {
  await db.delete(apiKeys).where(lt(apiKeys.expiresAt, before));
};

/** @returns whether there was such a key */
export const deleteKey = (db: Database, id: string): Promise<boolean> =>
  deleteOnce(
    async () => (await db.delete(apiKeys).where(eq(apiKeys.id, id)).run()).meta.changes > 0,
    // Nothing keeps a key from being deleted.
    async () => true,
  );
