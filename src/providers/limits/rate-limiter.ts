/**
 * The rate limiter of one endpoint: concurrent calls and calls per second, in order of arrival. It has no clock, timer
 * or storage; `endpoint-object.ts` adds them. Pure, with state in memory.
 */
import type { CallLimits } from "../../core/endpoint.ts";
import type { EpochMs } from "../../core/time.ts";

/** The longest pause that a provider can request, in milliseconds. A longer one is taken for an error. */
const MAX_PAUSE_MS = 3_600_000;

/**
 * The window for counting started calls, in milliseconds. It is longer than a second, because calls take unlike times from
 * here to the provider: one that was late and one that was not would arrive closer together than they were admitted.
 */
const WINDOW_MS = 1150;

/** The result of a wait: a slot, or none because there is none in time. */
export type SlotDecision = { admitted: true } | { admitted: false; retryAfterSeconds: number | null };

/** A call that waits for a slot. */
export interface PendingCall {
  id: string;
  /** The end of its wait. */
  until: EpochMs;
  /** How long its lease lasts if it is not released, in milliseconds. */
  leaseMs: number;
  onDecision: (decision: SlotDecision) => void;
}

/** The state that must survive a restart: leases with their expiry, and the end of a pause. */
export interface LimiterState {
  leases: Map<string, EpochMs>;
  pausedUntil: EpochMs;
}

/**
 * Starts calls to one endpoint in order of arrival, within its limits: never more than `maxConcurrency` at once, and
 * never more than `maxCallsPerSecond` within any second. Call {@link RateLimiter.admitWaiting} after each change, and
 * at the time that it returns.
 */
export class RateLimiter {
  readonly #state: LimiterState;
  #waiting: PendingCall[] = [];
  /** Start times of the calls in the last second, oldest first. */
  #startTimes: EpochMs[] = [];
  #limits: CallLimits = { maxCallsPerSecond: 0, maxConcurrency: 0 };
  #since: EpochMs = -Infinity;

  constructor(state: LimiterState = { leases: new Map(), pausedUntil: 0 }) {
    this.#state = { leases: new Map(state.leases), pausedUntil: state.pausedUntil };
  }

  get state(): Readonly<LimiterState> {
    return this.#state;
  }

  /** Adds a call to the end of the queue. A call that waits or runs already starts again. */
  enqueue(waiting: PendingCall): void {
    this.remove(waiting.id);
    this.#waiting.push(waiting);
  }

  /** Removes a waiting call or a lease. An unknown id has no effect. */
  remove(id: string): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id);
    this.#state.leases.delete(id);
  }

  /** Removes the waiting calls and the leases with such ids. */
  removeAll(isRemoved: (id: string) => boolean): void {
    const ids = [...this.#waiting.map(({ id }) => id), ...this.#state.leases.keys()];
    for (const id of ids.filter(isRemoved)) this.remove(id);
  }

  /** Sets the limits, also for waiting calls. The limits with the later change win, in whichever order they arrive. */
  setLimits({ maxCallsPerSecond, maxConcurrency }: CallLimits, since: EpochMs): void {
    if (since < this.#since) return;
    this.#limits = { maxCallsPerSecond, maxConcurrency };
    this.#since = since;
  }

  /** Starts no calls for as long as a provider asks. Never shortens a pause. */
  pause(milliseconds: number, now: EpochMs): void {
    const until = now + Math.min(milliseconds, MAX_PAUSE_MS);
    this.#state.pausedUntil = Math.max(this.#state.pausedUntil, until);
  }

  /**
   * Starts the calls that can start now, and rejects those whose wait is over or ends before the next start is
   * possible.
   *
   * @returns when to call it again if nothing else happens; `null` if no call waits
   */
  admitWaiting(now: EpochMs): EpochMs | null {
    this.#removeExpired(now);
    while (this.#waiting.length > 0 && this.#nextAdmissionAt(now) <= now) this.#admitNext(now);
    this.#rejectExpired(now);
    if (this.#waiting.length === 0) return null;
    return Math.min(this.#nextAdmissionAt(now), ...this.#waiting.map(({ until }) => until));
  }

  #removeExpired(now: EpochMs): void {
    this.#startTimes = this.#startTimes.filter((start) => start > now - WINDOW_MS);
    for (const [id, until] of this.#state.leases) if (until <= now) this.#state.leases.delete(id);
  }

  #admitNext(now: EpochMs): void {
    const next = this.#waiting.shift();
    if (!next) return;
    this.#state.leases.set(next.id, now + next.leaseMs);
    this.#startTimes.push(now);
    next.onDecision({ admitted: true });
  }

  #rejectExpired(now: EpochMs): void {
    const opensAt = Math.max(now, this.#state.pausedUntil);
    const retryAfterSeconds = opensAt > now ? Math.ceil((opensAt - now) / 1000) : null;
    const expired = this.#waiting.filter(({ until }) => until <= opensAt);
    this.#waiting = this.#waiting.filter(({ until }) => until > opensAt);
    for (const { onDecision } of expired) onDecision({ admitted: false, retryAfterSeconds });
  }

  /** The earliest time at which the next call can start. */
  #nextAdmissionAt(now: EpochMs): EpochMs {
    return Math.max(now, this.#state.pausedUntil, this.#rateLimitedUntil(now), this.#concurrencyLimitedUntil(now));
  }

  #rateLimitedUntil(now: EpochMs): EpochMs {
    const { maxCallsPerSecond } = this.#limits;
    if (maxCallsPerSecond === 0) return now;
    const start = this.#startTimes.at(-maxCallsPerSecond);
    return start === undefined ? now : start + WINDOW_MS;
  }

  #concurrencyLimitedUntil(now: EpochMs): EpochMs {
    const { maxConcurrency } = this.#limits;
    const ends = [...this.#state.leases.values()].toSorted((one, other) => other - one);
    return maxConcurrency === 0 ? now : (ends[maxConcurrency - 1] ?? now);
  }
}
