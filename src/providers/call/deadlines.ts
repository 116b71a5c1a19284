import type { Limits } from "../../core/call-params.ts";
import type { ReplyFailed } from "../../core/reply.ts";
import { replyFailed } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";

/** The longest wait that a timer can count: more would end it at once. */
const MAX_TIMER_MS = 2_147_483_647;

type Timer = ReturnType<typeof setTimeout>;

/** What ends a reply before its time: its limits, or whoever stops it. Its timers start when calls are made, not when they are planned. */
export class Deadlines {
  readonly #limits: Limits;
  readonly #controller = new AbortController();
  readonly #forget = new AbortController();
  #whole: Timer | null = null;
  #next: Timer | null = null;
  #endsAt: EpochMs | null = null;
  #failure: ReplyFailed | null = null;
  /** Settles with the failure once there is one. */
  readonly over: Promise<ReplyFailed>;

  constructor(limits: Limits, stop: AbortSignal) {
    this.#limits = limits;
    const { promise, resolve } = Promise.withResolvers<ReplyFailed>();
    this.over = promise;
    this.#controller.signal.addEventListener("abort", () => this.#failure && resolve(this.#failure));
    const stopped = () => this.#fail(replyFailed("cancelled", "The turn was stopped."));
    if (stop.aborted) stopped();
    else stop.addEventListener("abort", stopped, { signal: this.#forget.signal });
  }

  /** Aborted once the reply is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it is over; `null` while it is not. */
  get failure(): ReplyFailed | null {
    return this.#failure;
  }

  /** What is left for the whole reply, in milliseconds. */
  get remainingMs(): number {
    return this.#endsAt === null ? this.#limits.timeoutMs : this.#endsAt - now();
  }

  /** A call is sent: its first text is awaited. */
  callSent(): void {
    const { timeoutMs, firstTokenMs } = this.#limits;
    this.#endsAt ??= now() + timeoutMs;
    this.#whole ??= this.#after(timeoutMs, `The whole reply took longer than ${timeoutMs} ms (timeout_ms).`);
    this.#await(firstTokenMs, `No text came within ${firstTokenMs} ms of the call (first_token_ms).`);
  }

  /** Text came: the next is awaited. */
  textReceived(): void {
    const { idleMs } = this.#limits;
    this.#await(idleMs, `No more text came for ${idleMs} ms (idle_ms).`);
  }

  /** A call has ended: nothing is awaited. */
  callEnded(): void {
    if (this.#next !== null) clearTimeout(this.#next);
  }

  /** Stops all timers. */
  clear(): void {
    this.callEnded();
    if (this.#whole !== null) clearTimeout(this.#whole);
    this.#forget.abort();
  }

  #await(milliseconds: number | null, message: string): void {
    this.callEnded();
    this.#next = milliseconds === null ? null : this.#after(milliseconds, message);
  }

  #after(milliseconds: number, message: string): Timer {
    return setTimeout(() => this.#fail(replyFailed("provider_timeout", message)), Math.min(milliseconds, MAX_TIMER_MS));
  }

  #fail(failure: ReplyFailed): void {
    this.#failure ??= failure;
    this.#controller.abort();
  }
}
