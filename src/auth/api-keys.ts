import { randomHex } from "../core/id.ts";
import type { ApiKey } from "../core/api-key.ts";
import type { Caller } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import { sha256Hex } from "../crypto/secrets.ts";

/** How long a key that was found is taken to be good, in milliseconds. A revocation elsewhere takes as long. */
const CACHE_MS = 15_000;

/** How many keys are remembered: more than a Worker sees in that time, and little memory. */
const MAX_CACHED_KEYS = 1_000;

/** How old the note of a key's last use may grow before it is written anew, in milliseconds. */
const USE_RECORD_INTERVAL_MS = 600_000;

const PREFIX = "parley_";

/** Where API keys lie. */
export interface KeyStore {
  /** @param hash lower-case hex SHA-256 of the key */
  find: (hash: string) => Promise<ApiKey | null>;
  /** Notes that a key was used. Nobody waits for it. */
  recordUse: (id: string, at: EpochMs) => void;
}

const keyCache = new Map<string, { key: ApiKey; until: EpochMs }>();

/** A new API key: 256 random bits, so that a plain SHA-256 of it is safe to store. */
export const generateApiKey = (): string => PREFIX + randomHex(32);

/** Takes a revocation to heart at once, where it was made. */
export const evictCachedKey = (hash: string): boolean => keyCache.delete(hash);

/** Who holds an API key, or `null` for one that is none, revoked or expired. At most one look-up, seldom any. */
export async function findKeyHolder(token: string, store: KeyStore, at: EpochMs): Promise<Caller | null> {
  // What cannot be a key is not looked up: guessing costs the database nothing.
  if (!token.startsWith(PREFIX)) return null;
  const key = await findCachedKey(await sha256Hex(token), store, at);
  if (!key || (key.expiresAt !== null && key.expiresAt <= at)) return null;
  return { role: key.role, id: key.id, keyId: key.id, clientId: key.clientId, expiresAt: key.expiresAt };
}

async function findCachedKey(hash: string, { find, recordUse }: KeyStore, at: EpochMs): Promise<ApiKey | null> {
  const cached = keyCache.get(hash);
  if (cached && cached.until > at) return cached.key;
  // While the index database is down nobody can revoke a key either: one that was good is good still.
  const key = await find(hash).catch((error: unknown) => cached?.key ?? Promise.reject(error));
  if (keyCache.size >= MAX_CACHED_KEYS) keyCache.clear();
  // A key just made elsewhere must work at once, so only those that exist are remembered.
  if (!key) return null;
  keyCache.set(hash, { key, until: at + CACHE_MS });
  if ((key.lastUsedAt ?? 0) < at - USE_RECORD_INTERVAL_MS) recordUse(key.id, at);
  return key;
}
