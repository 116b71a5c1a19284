import { desc, eq } from "drizzle-orm";
import type { ApiKey } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { keys } from "./tables.ts";

/** @param hash lower-case hex SHA-256 of the key: the key itself is never stored */
export async function createKey(db: Database, key: ApiKey, hash: string): Promise<void> {
  await db.insert(keys).values({ ...key, hash });
}

const shown = {
  id: keys.id,
  name: keys.name,
  role: keys.role,
  clientId: keys.clientId,
  expiresAt: keys.expiresAt,
  lastUsedAt: keys.lastUsedAt,
  createdAt: keys.createdAt,
};

export const listKeys = (db: Database): Promise<ApiKey[]> => db.select(shown).from(keys).orderBy(desc(keys.createdAt));

export async function findKeyByHash(db: Database, hash: string): Promise<ApiKey | null> {
  return (await db.select(shown).from(keys).where(eq(keys.hash, hash)).get()) ?? null;
}

/** One row written. */
export async function recordKeyUse(db: Database, id: string, at: EpochMs): Promise<void> {
  await db.update(keys).set({ lastUsedAt: at }).where(eq(keys.id, id));
}

/** @returns the key that was revoked, or `null` when there is none */
export async function deleteKey(db: Database, id: string): Promise<{ hash: string } | null> {
  return (await db.delete(keys).where(eq(keys.id, id)).returning({ hash: keys.hash }).get()) ?? null;
}
