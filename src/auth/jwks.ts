import { createLocalJWKSet } from "jose";
import type { JSONWebKeySet } from "jose";
import type { EpochMs } from "../core/time.ts";

/** How long keys are used before they are read again, in milliseconds. */
const REFRESH_MS = 600_000;

/** How often keys are asked for at the most, whatever unknown ones tokens name: in milliseconds. */
const MIN_FETCH_INTERVAL_MS = 60_000;

/** The same while none are known yet. */
const MIN_FIRST_FETCH_INTERVAL_MS = 1_000;

/** Reads JSON at an address. @throws when there is none */
export type ReadJson = (url: string) => Promise<unknown>;

/** Finds the key that a token names. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** An identity provider's keys cannot be had, so nobody can tell whether its tokens are good. */
export class KeySetUnavailable extends Error {}

/** The keys at an address. While they cannot be read, those that are known are good still. */
class CachedKeySet {
  readonly #url: string;
  #keys: KeySet | null = null;
  #readAt: EpochMs = -Infinity;
  #fetchedAt: EpochMs = -Infinity;
  #fetching: Promise<void> | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** @param keyNotFound whether a key was not among those known: it may be new. @throws KeySetUnavailable */
  async keys(readJson: ReadJson, at: EpochMs, keyNotFound: boolean): Promise<KeySet> {
    if (keyNotFound || this.#readAt < at - REFRESH_MS) await this.#refresh(readJson, at);
    if (!this.#keys) throw new KeySetUnavailable();
    return this.#keys;
  }

  async #refresh(readJson: ReadJson, at: EpochMs): Promise<void> {
    const minInterval = this.#keys ? MIN_FETCH_INTERVAL_MS : MIN_FIRST_FETCH_INTERVAL_MS;
    if (this.#fetching === null && this.#fetchedAt > at - minInterval) return;
    this.#fetching ??= this.#fetch(readJson, at).finally(() => {
      this.#fetching = null;
    });
    await this.#fetching;
  }

  async #fetch(readJson: ReadJson, at: EpochMs): Promise<void> {
    this.#fetchedAt = at;
    try {
      this.#keys = createLocalJWKSet((await readJson(this.#url)) as JSONWebKeySet);
      this.#readAt = at;
    } catch (error) {
      console.error({ event: "key-set-fetch-failed", host: new URL(this.#url).host, error: String(error) });
    }
  }
}

/** Key sets by address: they outlast a call. */
const keySets = new Map<string, CachedKeySet>();

export function keySetOf(url: string): CachedKeySet {
  const cached = keySets.get(url) ?? new CachedKeySet(url);
  keySets.set(url, cached);
  return cached;
}
