/**
 * JSON Web Key Sets: reads an identity provider's keys and caches them in the isolate's memory. Verification of tokens
 * is in `jwt.ts`. Effects: reads a URL by the given function, timers, the clock; logs a failed read.
 */
import { createLocalJWKSet } from "jose";
import type { JSONWebKeySet } from "jose";
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** Age at which a key set is read again, in milliseconds. */
const MAX_KEY_SET_AGE_MS = 600_000;

/** Shortest time between two reads, in milliseconds, however many unknown keys tokens name. */
const MIN_FETCH_INTERVAL_MS = 60_000;

/** The same while no key set has been read yet. */
const MIN_FIRST_FETCH_INTERVAL_MS = 1_000;

/** How often a request looks whether another one has read the keys, in milliseconds. */
const POLL_MS = 10;

/** After this time a read counts as lost, in milliseconds: it has its own time limit, so its request has ended. */
const FETCH_TIMEOUT_MS = 6_000;

/** Reads JSON from a URL. @throws if there is none */
export type ReadJson = (url: string) => Promise<unknown>;

/** Finds the key that a token names. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The identity provider's keys cannot be read, so its tokens cannot be verified. */
export class KeySetUnavailable extends Error {}

/** What a key set needs from the request that asks for it. */
export interface KeySetReader {
  readJson: ReadJson;
  /** Keeps a read going after the request has ended, or its caller has left. */
  keepAlive: (work: Promise<void>) => void;
}

/**
 * The key set at a URL. While it cannot be read, the last one stays valid, and while it is read again too.
 *
 * No request waits for a promise of another one: it never settles once that other request has been cancelled.
 */
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
  async keys(reader: KeySetReader, at: EpochMs, keyNotFound: boolean): Promise<KeySet> {
    const isOld = this.#loadedAt < at - MAX_KEY_SET_AGE_MS;
    if (this.#keys && !keyNotFound) {
      if (isOld && !this.#isFetchingAt(at)) void this.#startReading(reader, at);
      return this.#keys;
    }
    await this.#refresh(reader);
    if (!this.#keys) throw new KeySetUnavailable();
    return this.#keys;
  }

  async #refresh(reader: KeySetReader): Promise<void> {
    const loadedAt = this.#loadedAt;
    // The second round is for a request that has waited for a read that failed or was lost.
    for (let round = 1; round <= 2 && this.#loadedAt === loadedAt; round += 1) {
      if (this.#isFetchingAt(now())) await this.#waitForAnother();
      else await this.#startReading(reader, now());
    }
  }

  #isFetchingAt(at: EpochMs): boolean {
    return this.#isFetching && this.#lastFetchAt + FETCH_TIMEOUT_MS > at;
  }

  /** @returns this request's own read; `null` if the last one was too short ago */
  #startReading({ readJson, keepAlive }: KeySetReader, at: EpochMs): Promise<void> | null {
    const minInterval = this.#keys ? MIN_FETCH_INTERVAL_MS : MIN_FIRST_FETCH_INTERVAL_MS;
    if (this.#lastFetchAt > at - minInterval) return null;
    const fetched = this.#readKeys(readJson, at);
    keepAlive(fetched);
    return fetched;
  }

  /** Never rejects. */
  async #readKeys(readJson: ReadJson, at: EpochMs): Promise<void> {
    this.#isFetching = true;
    this.#lastFetchAt = at;
    try {
      this.#keys = createLocalJWKSet((await readJson(this.#url)) as JSONWebKeySet);
      this.#loadedAt = at;
    } catch (error) {
      console.error({ event: "key-set-fetch-failed", host: new URL(this.#url).host, error: String(error) });
    } finally {
      if (this.#lastFetchAt === at) this.#isFetching = false;
    }
  }

  /** Waits until another request's read has ended or is lost, by a timer of this request. */
  async #waitForAnother(): Promise<void> {
    while (this.#isFetchingAt(now())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Key sets by URL, kept for the lifetime of the isolate. */
const keySets = new Map<string, CachedKeySet>();

export function keySetOf(url: string): CachedKeySet {
  const cached = keySets.get(url) ?? new CachedKeySet(url);
  keySets.set(url, cached);
  return cached;
}
