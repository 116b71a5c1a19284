/**
 * Errors of the platform that pass by themselves: D1 or a Durable Object could not be reached, was reset, or is
 * overloaded. Such a call answers 503 and not 500. All other errors are bugs. Effects: a timer in {@link retryOnce}.
 *
 * https://developers.cloudflare.com/d1/observability/debug-d1/#error-list
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */

/** Whether trying again may help: `overloaded` wants fewer calls, so it is never tried again by the program itself. */
export type TransientError = "retryable" | "overloaded";

/** What only fewer or smaller calls can help. Some of these messages say that the object was reset, too. */
const OVERLOADED =
  /is overloaded|exceeded timeout|exceeded its (?:memory|CPU time) limit|too much load on Durable Objects|too many concurrent storage operations/i;

/** The messages of resets and lost connections. D1 marks its errors by their text only. */
const RETRYABLE =
  /network connection lost|caused object to be reset|because its code was updated|due to transient issue|client disconnected|object was reset|instance is no longer active/i;

/** Classifies what was thrown, also by an object and behind RPC. @returns `null` for any other error */
export function transientErrorOf(error: unknown): TransientError | null {
  let isRetryable = false;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    // An error around the first cause can contain texts of users.
    const message = cause.cause === undefined ? cause.message : "";
    if (isMarked(cause, "overloaded") || OVERLOADED.test(message)) return "overloaded";
    isRetryable ||= isMarked(cause, "retryable") || isMarked(cause, "durableObjectReset") || RETRYABLE.test(message);
  }
  return isRetryable ? "retryable" : null;
}

const isMarked = (error: Error, mark: string): boolean => Reflect.get(error, mark) === true;

/** The pause before the second attempt, in milliseconds; at random up to twice as long. */
const PAUSE_MS = 50;

/**
 * Does something idempotent, and once more if it failed for a reason that passes. Never after an overload.
 *
 * @param attempt gets whether it is the second: the first may have succeeded without an answer
 */
export async function retryOnce<T>(attempt: (isSecond: boolean) => Promise<T>): Promise<T> {
  try {
    return await attempt(false);
  } catch (error) {
    if (transientErrorOf(error) !== "retryable") throw error;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())));
    return attempt(true);
  }
}
