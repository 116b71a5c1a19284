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
  readonly #listeners = new AbortController();
  #totalTimer: Timer | null = null;
  #textTimer: Timer | null = null;
  /** When the next text is due; `null` for never. */
  #textDueAt: EpochMs | null = null;
  #textMessage = "";
  #endsAt: EpochMs | null = null;
  #failure: ReplyFailure | null = null;
  /** Resolves with the failure when a deadline passes or the reply is stopped. */
  readonly expired: Promise<ReplyFailure>;

  constructor(limits: ReplyLimits, stop: AbortSignal) {
    this.#limits = limits;
    const { promise, resolve } = Promise.withResolvers<ReplyFailure>();
    this.expired = promise;
    this.#controller.signal.addEventListener("abort", () => this.#failure && resolve(this.#failure));
    const onStop = () => this.#fail(replyFailure("cancelled", "The turn was stopped."));
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop, { signal: this.#listeners.signal });
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

  /** Starts the timer for the first text. */
  callSent(): void {
    const { timeoutMs, firstTokenMs } = this.#limits;
    this.#endsAt ??= now() + timeoutMs;
    this.#totalTimer ??= this.#startTimer(timeoutMs, `The whole reply took longer than ${timeoutMs} ms (timeout_ms).`);
    this.#expectText(firstTokenMs, `No text came within ${firstTokenMs} ms of the call (first_token_ms).`);
  }

  /** Starts the timer for the next text. */
  textReceived(): void {
    const { idleMs } = this.#limits;
    this.#expectText(idleMs, `No more text came for ${idleMs} ms (idle_ms).`);
  }

  /** Stops the timer for the next text. */
  callEnded(): void {
    this.#textDueAt = null;
    if (this.#textTimer !== null) clearTimeout(this.#textTimer);
    this.#textTimer = null;
  }

  /** Stops all timers. */
  clear(): void {
    this.callEnded();
    if (this.#totalTimer !== null) clearTimeout(this.#totalTimer);
    this.#listeners.abort();
  }

  /** Moves the due time only: a timer that is set and cleared for each text costs more than the text. */
  #expectText(milliseconds: number | null, message: string): void {
    if (milliseconds === null) return this.callEnded();
    const dueAt = now() + milliseconds;
    if (this.#textDueAt === null || dueAt < this.#textDueAt) {
      this.callEnded();
      this.#textTimer = setTimeout(() => this.#checkText(), Math.min(milliseconds, MAX_TIMER_MS));
    }
    this.#textDueAt = dueAt;
    this.#textMessage = message;
  }

  #checkText(): void {
    if (this.#textDueAt === null) return;
    const leftMs = this.#textDueAt - now();
    if (leftMs <= 0) this.#fail(replyFailure("provider_timeout", this.#textMessage));
    else this.#textTimer = setTimeout(() => this.#checkText(), Math.min(leftMs, MAX_TIMER_MS));
  }

  #startTimer(milliseconds: number, message: string): Timer {
    return setTimeout(
      () => this.#fail(replyFailure("provider_timeout", message)),
      Math.min(milliseconds, MAX_TIMER_MS),
    );
  }

  #fail(failure: ReplyFailure): void {
    this.#failure ??= failure;
    this.#controller.abort();
  }
}
