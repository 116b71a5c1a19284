import { DurableObject } from "cloudflare:workers";
import type { ReplyRequest } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { MAX_TIMER_MS, now } from "../../core/time.ts";
import type { SlotDecision, LimiterState } from "./rate-limiter.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** Who wants to call an endpoint, for how long one waits and how long the call may take, in milliseconds. */
export interface SlotParams {
  id: string;
  limits: ReplyRequest["callLimits"];
  waitMs: number;
  leaseMs: number;
}

const LEASE = "lease:";
const PAUSE = "paused-until";

/**
 * Keeps the limits of one endpoint for all sessions. A thin shell around its {@link RateLimiter}: it holds the clock, the timer
 * and the storage.
 *
 * Who waits keeps it in memory by the pending call. Leases and the pause after a provider's 429 are in its storage as
 * well, so that a reply of minutes is still counted when the object was evicted meanwhile: nothing wakes it while calls
 * go on. Calls begun in the last second are not: an object that goes down then counts from none. Whose wait is cut by
 * that comes again (`admission.ts`), and loses its place in the order.
 */
export class EndpointObject extends DurableObject<Env> {
  readonly #limiter: RateLimiter;
  #saved: LimiterState;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#saved = this.#load();
    this.#limiter = new RateLimiter(this.#saved);
  }

  /** Resolves when the call may begin, or when it may not in the time it has. The lease is to be given back. */
  async acquire({ id, limits, waitMs, leaseMs }: SlotParams): Promise<SlotDecision> {
    const decision = Promise.withResolvers<SlotDecision>();
    this.#limiter.setLimits(limits, limits.since);
    this.#limiter.enqueue({ id, until: now() + waitMs, leaseMs, onDecision: decision.resolve });
    this.#admitWaiting();
    return decision.promise;
  }

  /** Gives up a place in the line or a lease. `pauseMs` is for how long the provider asks all callers to stay away. */
  async release(id: string, pauseMs: number): Promise<void> {
    this.#limiter.remove(id);
    if (pauseMs > 0) this.#limiter.pause(pauseMs, now());
    this.#admitWaiting();
  }

  #admitWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const nextAt = this.#limiter.admitWaiting(now());
    this.#timer =
      nextAt === null ? null : setTimeout(() => this.#admitWaiting(), Math.min(nextAt - now(), MAX_TIMER_MS));
    this.#save();
  }

  #load(): LimiterState {
    const { kv } = this.ctx.storage;
    const leases = Array.from(kv.list<EpochMs>({ prefix: LEASE }), ([key, until]) => [key.slice(LEASE.length), until]);
    return { leases: new Map(leases as [string, EpochMs][]), pausedUntil: kv.get<EpochMs>(PAUSE) ?? 0 };
  }

  /** Writes what has changed. Admissions leave when it is durable. */
  #save(): void {
    const { kv } = this.ctx.storage;
    const { leases, pausedUntil } = this.#limiter.state;
    for (const id of this.#saved.leases.keys()) if (!leases.has(id)) kv.delete(LEASE + id);
    for (const [id, until] of leases) if (!this.#saved.leases.has(id)) kv.put(LEASE + id, until);
    if (pausedUntil !== this.#saved.pausedUntil) kv.put(PAUSE, pausedUntil);
    this.#saved = { leases: new Map(leases), pausedUntil };
  }
}
