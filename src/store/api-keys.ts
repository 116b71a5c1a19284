/**
 * API keys in D1. Who holds a key is decided in `auth/api-keys.ts`. Effects: D1.
 */
import { desc, eq, lt } from "drizzle-orm";
import type { ApiKey } from "../core/api-key.ts";
import type { PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { apiKeys } from "./tables.ts";

/** @param hash lower-case hex SHA-256 of the key. The key itself is never stored. */
export async function createKey(db: Database, key: ApiKey, hash: string): Promise<void> {
  await db.insert(apiKeys).values({ ...key, hash });
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

/** Newest first: ids sort by creation. */
export const listKeys = (db: Database, { limit, skip }: PageRequest): Promise<ApiKey[]> =>
  db.select(columns).from(apiKeys).orderBy(desc(apiKeys.id)).limit(limit).offset(skip);

export async function findKeyByHash(db: Database, hash: string): Promise<ApiKey | null> {
  return (await db.select(columns).from(apiKeys).where(eq(apiKeys.hash, hash)).get()) ?? null;
}

/** Writes one row. */
export async function recordKeyUse(db: Database, id: string, at: EpochMs): Promise<void> {
  await db.update(apiKeys).set({ lastUsedAt: at }).where(eq(apiKeys.id, id));
}

/** Deletes keys that expired before a time, so that short keys for clients do not pile up. */
export const deleteKeysExpiredBefore = async (db: Database, before: EpochMs): Promise<void> => {
  await db.delete(apiKeys).where(lt(apiKeys.expiresAt, before));
};

/** @returns the deleted key; `null` if there was none */
export async function deleteKey(db: Database, id: string): Promise<{ hash: string } | null> {
  return (await db.delete(apiKeys).where(eq(apiKeys.id, id)).returning({ hash: apiKeys.hash }).get()) ?? null;
}
