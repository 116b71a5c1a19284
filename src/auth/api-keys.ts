/**
 * API keys: creates keys and finds the holder of one, with a cache in the isolate's memory. What a role may do is
 * decided in `routes/`; keys are stored by `store/api-keys.ts`. Effects: calls the given key store, keeps found keys in
 * memory, timers; logs a failed lookup in the background.
 */
import { randomHex } from "../core/id.ts";
import type { ApiKey } from "../core/api-key.ts";
import type { Caller } from "../core/caller.ts";
import { rootCause } from "../core/failure.ts";
import { LOOKUP_TIMEOUT_MS, isRefreshDue, isUsable, newLookup } from "../core/lookup-age.ts";
import type { Lookup } from "../core/lookup-age.ts";
import { waitAtMost } from "../core/time-limit.ts";
import type { EpochMs } from "../core/time.ts";
import { sha256Hex } from "../crypto/secrets.ts";

/** Size of the cache: more keys than a Worker sees within that time, at little memory. */
const MAX_CACHED_KEYS = 1_000;

/** A key's last use is written again after this time, in milliseconds. */
const USE_RECORD_INTERVAL_MS = 600_000;

const KEY_PREFIX = "parley_";

/** Storage of API keys. */
export interface KeyStore {
  /** Runs before a call waits for a lookup. @throws to refuse it */
  admit: () => Promise<void>;
  /** @param hash lower-case hex SHA-256 of the key */
  find: (hash: string) => Promise<ApiKey | null>;
  /** Records the use of a key. Runs in the background. */
  recordUse: (id: string, at: EpochMs) => void;
  /** Keeps a lookup going after the call was answered. */
  keepAlive: (work: Promise<unknown>) => void;
}

interface CachedKey extends Lookup {
  key: ApiKey;
}

const keyCache = new Map<string, CachedKey>();

/** When a key was last revoked in this isolate. What a lookup found that began before may be revoked. */
let lastRevocationAt: EpochMs = -Infinity;

/** Creates an API key. It has 256 random bits, so a plain SHA-256 of it is safe to store. */
export const generateApiKey = (): string => KEY_PREFIX + randomHex(32);

/**
 * Removes revoked keys from this isolate's cache. Call it after the write, also if that failed: it may have had its
 * effect.
 */
export function evictCachedKeys(isRevoked: (key: ApiKey) => boolean, at: EpochMs): void {
  for (const [hash, { key }] of keyCache) if (isRevoked(key)) keyCache.delete(hash);
  lastRevocationAt = at;
}

/**
 * Finds the holder of an API key. Waits for a lookup only if this isolate has not seen the key within 30 seconds.
 *
 * @returns `null` if the key is malformed, unknown, revoked or expired
 * @throws what the lookup throws, or that it took too long, for a key that is not cached or too old
 */
export async function findKeyHolder(token: string, store: KeyStore, at: EpochMs): Promise<Caller | null> {
  // A token that is not a key causes no lookup, so guessing costs the database nothing.
  if (!token.startsWith(KEY_PREFIX)) return null;
  const key = await findKey(await sha256Hex(token), store, at);
  if (!key || (key.expiresAt !== null && key.expiresAt <= at)) return null;
  const { id, role, clientId, expiresAt, name } = key;
  return { role, id, keyId: id, clientId, expiresAt, name };
}

async function findKey(hash: string, store: KeyStore, at: EpochMs): Promise<ApiKey | null> {
  const cached = keyCache.get(hash);
  if (cached && isUsable(cached, at)) {
    if (isRefreshDue(cached, at)) store.keepAlive(lookUpInTime(hash, store, at).catch(logFailure));
    return cached.key;
  }
  await store.admit();
  return lookUpInTime(hash, store, at).catch((error: unknown) => {
    const known = keyCache.get(hash);
    if (!known || !isUsable(known, at)) throw error;
    logFailure(error);
    return known.key;
  });
}

const logFailure = (error: unknown): void => console.error({ event: "key-not-looked-up", error: rootCause(error) });

/** @throws what the lookup throws, or that it took too long; then it goes on in the background */
async function lookUpInTime(hash: string, store: KeyStore, at: EpochMs): Promise<ApiKey | null> {
  const cached = keyCache.get(hash);
  if (cached) cached.lookedUpAt = at;
  const lookup = lookUp(hash, store, at);
  store.keepAlive(lookup.catch(() => undefined));
  try {
    return await waitAtMost(LOOKUP_TIMEOUT_MS, lookup);
  } catch (error) {
    if (cached) cached.failedAt = at;
    throw error;
  }
}

async function lookUp(hash: string, { find, recordUse }: KeyStore, at: EpochMs): Promise<ApiKey | null> {
  const key = await find(hash);
  keyCache.delete(hash);
  // Unknown keys are not cached, because a new key must work at once.
  if (!key || at <= lastRevocationAt) return key;
  if (keyCache.size >= MAX_CACHED_KEYS) keyCache.clear();
  keyCache.set(hash, { key, ...newLookup(at) });
  if ((key.lastUsedAt ?? 0) < at - USE_RECORD_INTERVAL_MS) recordUse(key.id, at);
  return key;
}
