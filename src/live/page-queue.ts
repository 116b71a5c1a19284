/**
 * Lets only a few pages of long logs be read at once in an isolate; the others wait in order. All calls of an isolate share
 * one thread, which turns from one to the next: beside thirty readers, a short call would wait for thirty pages at each of
 * its steps.
 *
 * Reading does not belong here. Effects: the clock and timers.
 */
import { CallerLeft } from "../core/failure.ts";
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** How many pages are read at once. */
const PAGES_AT_ONCE = 2;

/** How often a reader asks whether it is its turn, in milliseconds. */
const WAIT_MS = 2;

/**
 * After this time without a sign of life, a reader no longer counts, in milliseconds. The platform ends the invocation of a
 * caller that has left, wherever it waits.
 */
const MAX_SILENCE_MS = 1_000;

/** A reader of a page, in the order of arrival. */
interface Entry {
  seenAt: EpochMs;
}

/**
 * A queue holds no promises: one that was made in the invocation of another caller is never settled when that caller
 * leaves. So each reader asks with a timer of its own.
 */
export class PageQueue {
  #entries: Entry[] = [];

  /** Reads a page when it is its turn. @throws {CallerLeft} */
  async read<T>(hasLeft: () => boolean, readPage: () => Promise<T>): Promise<T> {
    const entry = { seenAt: now() };
    try {
      while (!this.#isNext(entry)) {
        await scheduler.wait(WAIT_MS);
        if (hasLeft()) break;
      }
      if (hasLeft()) throw new CallerLeft();
      return await readPage();
    } finally {
      this.#entries = this.#entries.filter((other) => other !== entry);
    }
  }

  #isNext(entry: Entry): boolean {
    const at = now();
    entry.seenAt = at;
    this.#entries = this.#entries.filter(({ seenAt }) => at - seenAt < MAX_SILENCE_MS);
    if (!this.#entries.includes(entry)) this.#entries.push(entry);
    return this.#entries.indexOf(entry) < PAGES_AT_ONCE;
  }
}
