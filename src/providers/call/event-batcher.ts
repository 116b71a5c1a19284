/**
 * Gathers the events of calls that run together, so that whoever reads them is woken a few times a second, however many
 * tokens there are. Effects: timers, and the clock.
 */
import type { ReplyEvent } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";

/** The events of some calls: the index of each call, and its events. */
export type EventBatch = Map<number, ReplyEvent[]>;

/** Shortest time between two batches of text of a single call, in milliseconds: a screen that shows it draws no more often. */
const SINGLE_INTERVAL_MS = 16;

/** The same for calls that run together, whose readers have several texts to read. */
const JOINT_INTERVAL_MS = 40;

/** How long the first text and the end of a call wait for those of the other calls, in milliseconds. */
const BATCH_DELAY_MS = 2;

/**
 * Sends events on in batches. The first text of a call and its end do not wait for the next batch of text, and not at
 * all when no other call runs.
 */
export class EventBatcher {
  readonly #write: (batch: EventBatch) => void;
  /** The calls that have not ended, and whether each has sent text. */
  readonly #running: Map<number, boolean>;
  readonly #intervalMs: number;
  #pending: EventBatch = new Map();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #due = 0;
  #lastSent = 0;

  /** @param calls how many calls there are, with indexes from 0 */
  constructor(calls: number, write: (batch: EventBatch) => void) {
    this.#write = write;
    this.#intervalMs = calls === 1 ? SINGLE_INTERVAL_MS : JOINT_INTERVAL_MS;
    this.#running = new Map(Array.from({ length: calls }, (_, index) => [index, false]));
  }

  send(index: number, portion: ReplyEvent[]): void {
    this.#pending.set(index, mergePortions(this.#pending.get(index) ?? [], portion));
    const isFirst = this.#running.get(index) === false;
    if (portion.at(-1)?.type === "text") this.#running.set(index, true);
    else this.#running.delete(index);
    if (!isFirst && this.#running.has(index)) this.#sendBy(this.#lastSent + this.#intervalMs);
    else if (this.#running.size === 0 || (this.#running.size === 1 && this.#running.has(index))) this.flush();
    else this.#sendBy(now() + BATCH_DELAY_MS);
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pending.size === 0) return;
    const batch = this.#pending;
    this.#pending = new Map();
    this.#lastSent = now();
    this.#write(batch);
  }

  #sendBy(due: EpochMs): void {
    if (due <= now()) return this.flush();
    if (this.#timer !== null && this.#due <= due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.flush(), due - now());
  }
}

/** Joins two portions, with adjacent texts as one. */
function mergePortions(earlier: ReplyEvent[], later: ReplyEvent[]): ReplyEvent[] {
  const [last, next] = [earlier.at(-1), later[0]];
  return last?.type === "text" && next?.type === "text"
    ? [...earlier.slice(0, -1), { type: "text", text: last.text + next.text }, ...later.slice(1)]
    : [...earlier, ...later];
}
