/**
 * API keys: creates keys and finds the holder of one, with a cache in the isolate's memory. What a role may do is
 * decided in `routes/`; keys are stored by `store/api-keys.ts`. Effects: calls the given key store, and keeps found
 * keys in memory.
 */
import { randomHex } from "../core/id.ts";
import type { ApiKey } from "../core/api-key.ts";
import type { Caller } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import { sha256Hex } from "../crypto/secrets.ts";

/** How long a found key stays in the cache, in milliseconds. A revocation reaches other isolates after this time. */
const KEY_CACHE_MS = 15_000;

/** Size of the cache: more keys than a Worker sees within that time, at little memory. */
const MAX_CACHED_KEYS = 1_000;

/** A key's last use is written again after this time, in milliseconds. */
const USE_RECORD_INTERVAL_MS = 600_000;

const KEY_PREFIX = "parley_";

/** Storage of API keys. */
export interface KeyStore {
  /** Runs before each look-up. @throws to refuse it */
  admit: () => Promise<void>;
  /** @param hash lower-case hex SHA-256 of the key */
  find: (hash: string) => Promise<ApiKey | null>;
  /** Records the use of a key. Runs in the background. */
  recordUse: (id: string, at: EpochMs) => void;
}

const keyCache = new Map<string, { key: ApiKey; until: EpochMs }>();

/** Creates an API key. It has 256 random bits, so a plain SHA-256 of it is safe to store. */
export const generateApiKey = (): string => KEY_PREFIX + randomHex(32);

/** Removes a revoked key from this isolate's cache. */
export const evictCachedKey = (hash: string): boolean => keyCache.delete(hash);

/** Removes the keys of a deleted client from this isolate's cache. */
export function evictCachedKeysOf(clientId: string): void {
  for (const [hash, { key }] of keyCache) if (key.clientId === clientId) keyCache.delete(hash);
}

/**
 * Finds the holder of an API key, with at most one lookup.
 *
 * @returns `null` if the key is malformed, unknown, revoked or expired
 */
export async function findKeyHolder(token: string, store: KeyStore, at: EpochMs): Promise<Caller | null> {
  // A token that is not a key causes no lookup, so guessing costs the database nothing.
  if (!token.startsWith(KEY_PREFIX)) return null;
  const key = await findCachedKey(await sha256Hex(token), store, at);
  if (!key || (key.expiresAt !== null && key.expiresAt <= at)) return null;
  return { role: key.role, id: key.id, keyId: key.id, clientId: key.clientId, expiresAt: key.expiresAt };
}

async function findCachedKey(hash: string, { admit, find, recordUse }: KeyStore, at: EpochMs): Promise<ApiKey | null> {
  const cached = keyCache.get(hash);
  if (cached && cached.until > at) return cached.key;
  await admit();
  // While D1 is down, no key can be revoked either, so a cached key stays valid.
  const key = await find(hash).catch((error: unknown) => cached?.key ?? Promise.reject(error));
  if (keyCache.size >= MAX_CACHED_KEYS) keyCache.clear();
  // Unknown keys are not cached, because a new key must work at once.
  if (!key) return null;
  keyCache.set(hash, { key, until: at + KEY_CACHE_MS });
  if ((key.lastUsedAt ?? 0) < at - USE_RECORD_INTERVAL_MS) recordUse(key.id, at);
  return key;
}
