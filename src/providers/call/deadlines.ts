/**
 * Deadlines of one reply: total time, time to the first text, time between texts, and a stop by the user. Retries are
 * in `attempts.ts`. Effects: the clock and timers.
 */
import type { ReplyLimits } from "../../core/call-params.ts";
import type { ReplyFailure } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { MAX_TIMER_MS, now } from "../../core/time.ts";

type Timer = ReturnType<typeof setTimeout>;

/**
 * Ends a reply early, at a time limit or on a stop. Timers start when a call is sent, so waiting for a slot does not
 * count.
 */
export class Deadlines {
  readonly #limits: ReplyLimits;
  readonly #controller = new AbortController();
  readonly #stopListening: () => void;
  /** One timer for all: the next deadline, or an earlier time when it looks again. */
  #timer: Timer | null = null;
  #timerAt: EpochMs = Infinity;
  /** When the next text is due. `Infinity` for never. */
  #textDueAt: EpochMs = Infinity;
  #textMessage = "";
  /** When the whole reply is due; `null` before the first call. */
  #endsAt: EpochMs | null = null;
  #failure: ReplyFailure | null = null;
  /** Resolves with the failure when a deadline passes or the reply is stopped. */
  readonly expired: Promise<ReplyFailure>;
  readonly #expire: (failure: ReplyFailure) => void;

  constructor(limits: ReplyLimits, stop: AbortSignal) {
    this.#limits = limits;
    const { promise, resolve } = Promise.withResolvers<ReplyFailure>();
    this.expired = promise;
    this.#expire = resolve;
    const onStop = () => this.#fail(replyFailure("cancelled", "The turn was stopped."));
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop);
    // Not by a signal of its own: to abort one costs as much as to read a text.
    this.#stopListening = () => stop.removeEventListener("abort", onStop);
  }

  /** Aborted when the reply is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the reply is over; `null` while it runs. */
  get failure(): ReplyFailure | null {
    return this.#failure;
  }

  /** Time left for the whole reply, in milliseconds. */
  get remainingMs(): number {
    return this.#endsAt === null ? this.#limits.timeoutMs : this.#endsAt - now();
  }

  /** The first text is due from now on. */
  callSent(): void {
    const { timeoutMs, firstTokenMs } = this.#limits;
    this.#endsAt ??= now() + timeoutMs;
    this.#expectText(firstTokenMs, `No text came within ${firstTokenMs} ms of the call (first_token_ms).`);
    this.#setTimer();
  }

  /** The next text is due from now on. */
  textReceived(): void {
    const { idleMs } = this.#limits;
    this.#expectText(idleMs, `No more text came for ${idleMs} ms (idle_ms).`);
    this.#setTimer();
  }

  /** No text is due. */
  callEnded(): void {
    this.#textDueAt = Infinity;
  }

  /** Stops the timer. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopListening();
  }

  #expectText(milliseconds: number | null, message: string): void {
    this.#textDueAt = milliseconds === null ? Infinity : now() + milliseconds;
    this.#textMessage = message;
  }

  /** Leaves a timer that is early enough: one that is set and cleared for each text costs more than the text. */
  #setTimer(): void {
    const dueAt = Math.min(this.#endsAt ?? Infinity, this.#textDueAt);
    if (this.#timer !== null && this.#timerAt <= dueAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = dueAt;
    this.#timer = setTimeout(() => this.#check(), Math.min(dueAt - now(), MAX_TIMER_MS));
  }

  #check(): void {
    this.#timer = null;
    const { timeoutMs } = this.#limits;
    if (this.#textDueAt <= now()) this.#fail(replyFailure("provider_timeout", this.#textMessage));
    else if (this.remainingMs <= 0)
      this.#fail(replyFailure("provider_timeout", `The whole reply took longer than ${timeoutMs} ms (timeout_ms).`));
    else this.#setTimer();
  }

  #fail(failure: ReplyFailure): void {
    this.#failure ??= failure;
    this.#expire(this.#failure);
    this.#controller.abort();
  }
}
