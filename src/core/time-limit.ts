/**
 * A limit on how long the program waits for work that it cannot stop. Effects: a timer.
 */

/** The work took too long. It may work a moment later, so a call that depends on it answers 503. */
export class TimeLimitExceeded extends Error {
  readonly retryable = true;
}

/**
 * Waits for work, for a limited time. The work goes on after it.
 *
 * @throws what the work throws in time, or {@link TimeLimitExceeded}
 */
export async function waitAtMost<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitExceeded(`No answer within ${milliseconds} ms`)), milliseconds);
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
