/**
 * Repeats what failed and may pass: calls whose connection was lost, and those that the server asks to make again. What is
 * safe to repeat is for the caller to decide. Effects: waits.
 */
import { ParleyError } from "./errors.ts";

/** How often a call is repeated, unless the caller says how often. */
export const DEFAULT_RETRIES = 4;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** A server that asks for a longer wait than this gets no repeat: the caller should know. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

/** Statuses of failures that pass by themselves; 502 and 504 only if a proxy answers with them. */
const PASSING_STATUSES = [429, 503];
const PASSING_STATUSES_OF_PROXIES = [502, 503, 504];

export function mayPass(error: unknown): error is ParleyError {
  if (!(error instanceof ParleyError) || (error.retryAfterSeconds ?? 0) > LONGEST_RETRY_AFTER_SECONDS) return false;
  const { status, code } = error;
  if (code === "connection_failed" || code === "still_under_way") return true;
  const statuses = code === "http_error" ? PASSING_STATUSES_OF_PROXIES : PASSING_STATUSES;
  return statuses.includes(status) && code !== "misconfigured";
}

/** How long to wait before repeat number `attempt`, counted from 0: longer each time, and not all callers at once. */
function waitMs(attempt: number, error: unknown): number {
  const backOff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
  return Math.max(backOff, error instanceof ParleyError ? (error.retryAfterSeconds ?? 0) * 1000 : 0);
}

/** Waits. @throws the reason of the signal as soon as it is aborted */
function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

export interface RetryOptions {
  retries?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The attempts at one thing. */
export class Attempts {
  readonly #retries: number;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;

  constructor({ retries = DEFAULT_RETRIES, signal }: RetryOptions) {
    this.#retries = retries;
    this.#signal = signal;
  }

  /** After a success: the next failure is the first one again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits until the next attempt.
   *
   * @param error why the last one failed
   * @param onWait called if there is a next one
   * @throws the error if there is none, or the reason of the signal
   */
  async next(error: unknown, onWait?: () => void): Promise<void> {
    if (this.#failures >= this.#retries || !mayPass(error)) throw error;
    onWait?.();
    await wait(waitMs(this.#failures, error), this.#signal);
    this.#failures += 1;
  }
}

/** Runs a task, and again while it fails in a way that may pass. @param run gets the number of its earlier attempts */
export async function repeat<T>(run: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const attempts = new Attempts(options);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await run(attempt);
    } catch (error) {
      await attempts.next(error);
    }
  }
}
