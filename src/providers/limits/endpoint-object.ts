/**
 * The Durable Object of an endpoint: a thin shell around its {@link RateLimiter}, which has the rules. The shell has
 * the clock, the timer and the storage. `endpoint-slots.ts` calls it. Effects: clock, timer, storage.
 */
import { DurableObject } from "cloudflare:workers";
import type { ReplyRequest } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { MAX_TIMER_MS, now } from "../../core/time.ts";
import type { SlotDecision, LimiterState } from "./rate-limiter.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { isOfEarlierInstance } from "./slot-holder.ts";
import type { SlotHolder } from "./slot-holder.ts";

/** A call that asks for a slot: how long it can wait, and how long it may then take, in milliseconds. */
export interface SlotParams {
  id: string;
  limits: ReplyRequest["callLimits"];
  waitMs: number;
  leaseMs: number;
}

const LEASE_PREFIX = "lease:";
const PAUSE_KEY = "paused-until";

/**
 * Applies the limits of one endpoint to the calls of all sessions.
 *
 * Waiting calls are in memory, kept alive by their pending requests. Leases and the pause after a provider's 429 are
 * also in storage: an object can be evicted during a reply of several minutes, because nothing wakes it while calls
 * run. Calls started in the last second are not in storage, so an object that crashes counts from zero. A call whose
 * wait is interrupted by a crash asks again (`endpoint-slots.ts`) and loses its place in the queue.
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

  /** Resolves when the call can start, or when it cannot start within its time. Release the slot afterwards. */
  async acquire({ id, limits, waitMs, leaseMs }: SlotParams): Promise<SlotDecision> {
    const decision = Promise.withResolvers<SlotDecision>();
    this.#limiter.setLimits(limits, limits.since);
    this.#limiter.enqueue({ id, until: now() + waitMs, leaseMs, onDecision: decision.resolve });
    this.#admitWaiting();
    return decision.promise;
  }

  /**
   * Removes a waiting call, or releases its slot.
   *
   * @param pauseMs how long the provider asks all callers to wait
   */
  async release({ id, pauseMs }: { id: string; pauseMs: number }): Promise<void> {
    this.#limiter.remove(id);
    if (pauseMs > 0) this.#limiter.pause(pauseMs, now());
    this.#admitWaiting();
  }

  /**
   * Releases what an object's earlier instances have not: their calls have ended with them.
   *
   * @param holder the instance that runs now; it keeps its slots
   */
  async releaseEarlier({ holder }: { holder: SlotHolder }): Promise<void> {
    this.#limiter.removeAll((id) => isOfEarlierInstance(id, holder));
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
    const leases = Array.from(kv.list<EpochMs>({ prefix: LEASE_PREFIX }), ([key, until]) => [
      key.slice(LEASE_PREFIX.length),
      until,
    ]);
    return { leases: new Map(leases as [string, EpochMs][]), pausedUntil: kv.get<EpochMs>(PAUSE_KEY) ?? 0 };
  }

  /** Writes what has changed. The output gate holds responses back until it is durable. */
  #save(): void {
    const { kv } = this.ctx.storage;
    const { leases, pausedUntil } = this.#limiter.state;
    for (const id of this.#saved.leases.keys()) if (!leases.has(id)) kv.delete(LEASE_PREFIX + id);
    for (const [id, until] of leases) if (!this.#saved.leases.has(id)) kv.put(LEASE_PREFIX + id, until);
    if (pausedUntil !== this.#saved.pausedUntil) kv.put(PAUSE_KEY, pausedUntil);
    this.#saved = { leases: new Map(leases), pausedUntil };
  }
}
