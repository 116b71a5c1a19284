/**
 * JSON Web Key Sets: reads an identity provider's keys and caches them in the isolate's memory. Verification of tokens
 * is in `jwt.ts`. Effects: reads a URL by the given function; logs a failed read.
 */
import { createLocalJWKSet } from "jose";
import type { JSONWebKeySet } from "jose";
import type { EpochMs } from "../core/time.ts";

/** Age at which a key set is read again, in milliseconds. */
const MAX_KEY_SET_AGE_MS = 600_000;

/** Shortest time between two reads, in milliseconds, however many unknown keys tokens name. */
const MIN_FETCH_INTERVAL_MS = 60_000;

/** The same while no key set has been read yet. */
const MIN_FIRST_FETCH_INTERVAL_MS = 1_000;

/** How often a request looks whether another one has read the keys, in milliseconds. */
const POLL_MS = 10;

/** After this time a read counts as lost, in milliseconds: the request that made it was cancelled. */
const FETCH_TIMEOUT_MS = 10_000;

/** Reads JSON from a URL. @throws if there is none */
export type ReadJson = (url: string) => Promise<unknown>;

/** Finds the key that a token names. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The identity provider's keys cannot be read, so its tokens cannot be verified. */
export class KeySetUnavailable extends Error {}

/** The key set at a URL. While it cannot be read, the last one stays valid. */
class CachedKeySet {
  readonly #url: string;
  #keys: KeySet | null = null;
  #loadedAt: EpochMs = -Infinity;
  #lastFetchAt: EpochMs = -Infinity;
  #isFetching = false;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * @param keyNotFound whether the cached set lacks the token's key, which may be new
   * @throws KeySetUnavailable
   */
  async keys(readJson: ReadJson, at: EpochMs, keyNotFound: boolean): Promise<KeySet> {
    if (keyNotFound || this.#loadedAt < at - MAX_KEY_SET_AGE_MS) await this.#refresh(readJson, at);
    if (!this.#keys) throw new KeySetUnavailable();
    return this.#keys;
  }

  async #refresh(readJson: ReadJson, at: EpochMs): Promise<void> {
    if (this.#isFetching && (await this.#isReadByAnother())) return;
    const minInterval = this.#keys ? MIN_FETCH_INTERVAL_MS : MIN_FIRST_FETCH_INTERVAL_MS;
    if (!this.#isFetching && this.#lastFetchAt > at - minInterval) return;
    this.#isFetching = true;
    this.#lastFetchAt = at;
    try {
      this.#keys = createLocalJWKSet((await readJson(this.#url)) as JSONWebKeySet);
      this.#loadedAt = at;
    } catch (error) {
      console.error({ event: "key-set-fetch-failed", host: new URL(this.#url).host, error: String(error) });
    } finally {
      this.#isFetching = false;
    }
  }

  /**
   * Waits for another request's read. By its own timer: a promise of another request never settles once that request is
   * cancelled.
   *
   * @returns `false` if the read is lost
   */
  async #isReadByAnother(): Promise<boolean> {
    for (let waited = 0; waited < FETCH_TIMEOUT_MS; waited += POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (!this.#isFetching) return true;
    }
    return false;
  }
}

/** Key sets by URL, kept for the lifetime of the isolate. */
const keySets = new Map<string, CachedKeySet>();

export function keySetOf(url: string): CachedKeySet {
  const cached = keySets.get(url) ?? new CachedKeySet(url);
  keySets.set(url, cached);
  return cached;
}
