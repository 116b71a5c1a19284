/**
 * A cache of records in the memory of an isolate: what turns need of chatbots, endpoints, clients and templates, for two
 * seconds. It holds values and never a pending read, because a promise of another request may never settle. Reading is
 * in `turn-context.ts`; the functions that write such a record to D1 remove it here. Effects: memory, the given clock.
 */
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { PromptTemplate } from "../core/prompt-template.ts";
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** How long a record counts as current, in milliseconds: a turn uses it as it was within this time. */
export const MAX_AGE_MS = 2_000;

/** At this age a record is read again in the background, so that frequent turns never wait for a read. */
const REFRESH_AGE_MS = 1_000;

/** How long a record that was changed here is read from the primary, in milliseconds: replicas may be behind. */
const PRIMARY_AFTER_CHANGE_MS = 10_000;

/** The size of the cache: a small part of an isolate's 128 MB. */
const MAX_RECORDS = 5_000;
const MAX_CHARACTERS = 4_000_000;

interface Records {
  chatbot: Chatbot;
  endpoint: Endpoint;
  client: Client;
  "prompt-template": PromptTemplate;
}

type RecordKind = keyof Records;

/** Names a record: its kind and its id. The id of a template is its name. */
export type RecordKey<K extends RecordKind = RecordKind> = readonly [kind: K, id: string];

interface Entry {
  /** `null` for a record that does not exist, `undefined` while nothing is known. */
  record: Records[RecordKind] | null | undefined;
  characters: number;
  /** When the read of the record began. */
  readAt: EpochMs;
  /** When a read in the background began last. */
  refreshedAt: EpochMs;
  /** When the record was last changed in this isolate. */
  changedAt: EpochMs;
}

export class RecordCache {
  readonly #clock: () => EpochMs;
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(clock: () => EpochMs) {
    this.#clock = clock;
  }

  /** A current record: `null` if it does not exist, `undefined` if it must be read. */
  get<K extends RecordKind>(key: RecordKey<K>): Records[K] | null | undefined {
    const entry = this.#entries.get(nameOf(key));
    return entry && this.#clock() - entry.readAt < MAX_AGE_MS
      ? (entry.record as Records[K] | null | undefined)
      : undefined;
  }

  /** When the read of a record began; `-Infinity` if there was none. */
  readAt(key: RecordKey): EpochMs {
    return this.#entries.get(nameOf(key))?.readAt ?? -Infinity;
  }

  /** Whether to read a record again in the background. Says so once for each period in which the record is used. */
  claimRefresh(key: RecordKey): boolean {
    const entry = this.#entries.get(nameOf(key));
    const at = this.#clock();
    if (!entry) return true;
    if (at - Math.max(entry.readAt, entry.refreshedAt) < REFRESH_AGE_MS) return false;
    entry.refreshedAt = at;
    return true;
  }

  /**
   * Adds a record, unless a newer one is there or it was changed here since its read began.
   *
   * @param readAt when the read began
   */
  put<K extends RecordKind>(key: RecordKey<K>, record: Records[K] | null, readAt: EpochMs): void {
    const { changedAt = -Infinity, readAt: knownAt = -Infinity } = this.#entries.get(nameOf(key)) ?? {};
    if (readAt <= changedAt || readAt < knownAt) return;
    this.#set(nameOf(key), { record, characters: charactersOf(record), readAt, refreshedAt: -Infinity, changedAt });
  }

  /** Removes a record that was changed. Call it after the write, also if that failed: it may have had its effect. */
  forget(key: RecordKey): void {
    const changedAt = this.#clock();
    this.#set(nameOf(key), { record: undefined, characters: 0, readAt: -Infinity, refreshedAt: -Infinity, changedAt });
  }

  /** Whether a record was changed here a moment ago, so that a replica may still have the old one. */
  wasChanged(key: RecordKey): boolean {
    const { changedAt = -Infinity } = this.#entries.get(nameOf(key)) ?? {};
    return this.#clock() - changedAt < PRIMARY_AFTER_CHANGE_MS;
  }

  #set(name: string, entry: Entry): void {
    this.#delete(name);
    this.#entries.set(name, entry);
    this.#characters += entry.characters;
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= MAX_RECORDS && this.#characters <= MAX_CHARACTERS) return;
      this.#delete(oldest);
    }
  }

  #delete(name: string): void {
    this.#characters -= this.#entries.get(name)?.characters ?? 0;
    this.#entries.delete(name);
  }
}

const nameOf = ([kind, id]: RecordKey): string => `${kind}:${id}`;

/** The length of the texts of a record. */
const charactersOf = (record: object | null): number =>
  Object.values(record ?? {}).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);

/** The records in the memory of this isolate. */
export const recordCache = new RecordCache(now);

/** Waits for a write of a record, and then removes the record from memory. */
export async function forgetAfter<T>(key: RecordKey, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } finally {
    recordCache.forget(key);
  }
}
