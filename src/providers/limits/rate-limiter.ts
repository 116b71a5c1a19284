import type { CallLimits } from "../../core/endpoint.ts";
import type { EpochMs } from "../../core/time.ts";

/** How long a provider's wish for a pause is honoured, in milliseconds: one that asks for more has erred. */
const LONGEST_PAUSE_MS = 3_600_000;

/** The window in which calls begun are counted, in milliseconds. */
const WINDOW_MS = 1000;

/** What became of a wait: a lease, or none because the time was over or could not suffice. */
export type SlotDecision = { admitted: true } | { admitted: false; retryAfterSeconds: number | null };

/** Someone who waits to call. */
export interface PendingCall {
  id: string;
  /** Nobody waits longer than until then. */
  until: EpochMs;
  /** How long a lease lasts that is not given back, in milliseconds. */
  leaseMs: number;
  onDecision: (admission: SlotDecision) => void;
}

/** What a gate must not forget: who is inside, each until when at most, and when it opens again. */
export interface LimiterState {
  leases: Map<string, EpochMs>;
  pausedUntil: EpochMs;
}

/**
 * Lets calls to one endpoint begin in order of arrival, within its limits: never more at once than `maxConcurrency`, and
 * never more begun in any second than `maxCallsPerSecond`. It has no clock and no timer: after each change of anything,
 * and when it asks for it, {@link RateLimiter.admitWaiting} is to be called.
 */
export class RateLimiter {
  readonly #state: LimiterState;
  #waiting: PendingCall[] = [];
  /** When calls of the last second began, oldest first. */
  #starts: EpochMs[] = [];
  #limits: CallLimits = { maxCallsPerSecond: 0, maxConcurrency: 0 };
  #since: EpochMs = -Infinity;

  constructor(state: LimiterState = { leases: new Map(), pausedUntil: 0 }) {
    this.#state = { leases: new Map(state.leases), pausedUntil: state.pausedUntil };
  }

  get state(): Readonly<LimiterState> {
    return this.#state;
  }

  /** Puts someone at the end of the line. Who is there or inside already begins anew. */
  enqueue(waiting: PendingCall): void {
    this.remove(waiting.id);
    this.#waiting.push(waiting);
  }

  /** Gives up a place in the line, or a lease. An unknown id changes nothing. */
  remove(id: string): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id);
    this.#state.leases.delete(id);
  }

  /** Sets limits, for those who wait too. Of two, those of the later change are in force, whichever comes first. */
  setLimits({ maxCallsPerSecond, maxConcurrency }: CallLimits, since: EpochMs): void {
    if (since < this.#since) return;
    this.#limits = { maxCallsPerSecond, maxConcurrency };
    this.#since = since;
  }

  /** Lets nobody in for as long as a provider asks. Never shortens a pause. */
  pause(milliseconds: number, now: EpochMs): void {
    const until = now + Math.min(milliseconds, LONGEST_PAUSE_MS);
    this.#state.pausedUntil = Math.max(this.#state.pausedUntil, until);
  }

  /**
   * Lets in whoever may come in now, and sends away whose time is over or ends before the gate opens.
   *
   * @returns when to call it again though nothing happens; `null` when nobody waits
   */
  admitWaiting(now: EpochMs): EpochMs | null {
    this.#removeExpired(now);
    while (this.#waiting.length > 0 && this.#nextAdmissionAt(now) <= now) this.#admitNext(now);
    this.#rejectExpired(now);
    if (this.#waiting.length === 0) return null;
    return Math.min(this.#nextAdmissionAt(now), ...this.#waiting.map(({ until }) => until));
  }

  #removeExpired(now: EpochMs): void {
    this.#starts = this.#starts.filter((start) => start > now - WINDOW_MS);
    for (const [id, until] of this.#state.leases) if (until <= now) this.#state.leases.delete(id);
  }

  #admitNext(now: EpochMs): void {
    const next = this.#waiting.shift();
    if (!next) return;
    this.#state.leases.set(next.id, now + next.leaseMs);
    this.#starts.push(now);
    next.onDecision({ admitted: true });
  }

  #rejectExpired(now: EpochMs): void {
    const opensAt = Math.max(now, this.#state.pausedUntil);
    const retryAfterSeconds = opensAt > now ? Math.ceil((opensAt - now) / 1000) : null;
    const expired = this.#waiting.filter(({ until }) => until <= opensAt);
    this.#waiting = this.#waiting.filter(({ until }) => until > opensAt);
    for (const { onDecision } of expired) onDecision({ admitted: false, retryAfterSeconds });
  }

  /** The earliest moment at which one more may come in, as things stand. */
  #nextAdmissionAt(now: EpochMs): EpochMs {
    return Math.max(now, this.#state.pausedUntil, this.#rateLimitedUntil(now), this.#concurrencyLimitedUntil(now));
  }

  #rateLimitedUntil(now: EpochMs): EpochMs {
    const { maxCallsPerSecond } = this.#limits;
    if (maxCallsPerSecond === 0) return now;
    const start = this.#starts.at(-maxCallsPerSecond);
    return start === undefined ? now : start + WINDOW_MS;
  }

  #concurrencyLimitedUntil(now: EpochMs): EpochMs {
    const { maxConcurrency } = this.#limits;
    const ends = [...this.#state.leases.values()].toSorted((one, other) => other - one);
    return maxConcurrency === 0 ? now : (ends[maxConcurrency - 1] ?? now);
  }
}
