/**
 * Acquires slots for calls to an endpoint from its Durable Object. The rules of the limits are in `rate-limiter.ts`.
 * Effects: calls the object, reads the clock; logs `limiter-unreachable`.
 */
import { rootCause } from "../../core/failure.ts";
import type { ReplyFailure, ReplyRequest } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { now } from "../../core/time.ts";
import type { AcquireSlot, Slot } from "../call/attempts.ts";
import type { EndpointObject } from "./endpoint-object.ts";
import type { SlotDecision } from "./rate-limiter.ts";
import { callIdOf } from "./slot-holder.ts";
import type { SlotHolder } from "./slot-holder.ts";

/** How much longer than its reply a lease lasts if it is not released, in milliseconds. */
const LEASE_MARGIN_MS = 10_000;

/** Attempts to reach the object before the call is made without a slot. */
const MAX_TRIES = 2;

/** Access to the objects that keep the limits. */
export interface LimiterAccess {
  endpoints: DurableObjectNamespace<EndpointObject>;
  /** Lets work continue after the response. */
  waitUntil: (work: Promise<void>) => void;
  /** Who holds the slots, if it is an object: it may stop before it releases them. */
  slotHolder?: SlotHolder | undefined;
}

/**
 * Returns a function that acquires a slot: one round trip to acquire, and one to release that runs in the background.
 * `null` for an endpoint without limits.
 *
 * A wait ends with the reply's time limit (`timeout_ms`) and fails as `rate_limited`, without a call. A stop ends it at
 * once. If the object cannot be reached, the call is made without a slot.
 *
 * A wait does not hold up other calls of the invocation. Only six connections may wait for response headers, but calls
 * to Durable Objects and to other Workers do not count: the limit covers fetch, KV, Cache, R2, Queues, and outgoing TCP
 * and WebSockets.
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export function slotsOf(request: ReplyRequest, timeoutMs: number, limiterAccess: LimiterAccess): AcquireSlot | null {
  const { maxCallsPerSecond, maxConcurrency } = request.callLimits;
  if (maxCallsPerSecond === 0 && maxConcurrency === 0) return null;
  return async (signal) => {
    const slotRequest = new SlotRequest(request, timeoutMs, limiterAccess);
    const release = (pauseMs: number) => limiterAccess.waitUntil(slotRequest.release(pauseMs));
    const requestedAt = now();
    const decision = await Promise.race([slotRequest.acquire(signal), waitForStop(signal)]);
    if (decision === "stopped") {
      release(0);
      return replyFailure("cancelled", "The turn was stopped.");
    }
    if (!decision.admitted) return slotRejection(now() - requestedAt, decision.retryAfterSeconds);
    return { release: (final) => release(pauseMsOf(final)) } satisfies Slot;
  };
}

/** Releases the slots that an object's earlier instances still hold at endpoints. Never rejects. */
export async function releaseEarlierSlots(
  endpoints: LimiterAccess["endpoints"],
  endpointIds: string[],
  holder: SlotHolder,
): Promise<void> {
  const release = async (endpointId: string) => {
    try {
      await endpoints.getByName(endpointId).releaseEarlier({ holder });
    } catch (error) {
      console.error({ event: "limiter-unreachable", endpointId, error: rootCause(error) });
    }
  };
  await Promise.all(endpointIds.map(release));
}

const waitForStop = (signal: AbortSignal): Promise<"stopped"> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });

/** The methods of the object that are used. The types of an RPC stub turn each member of a union into a promise. */
type LimiterStub = Pick<EndpointObject, "acquire" | "release">;

/** The request of one call for a slot. */
class SlotRequest {
  readonly #id: string;
  readonly #endpoints: LimiterAccess["endpoints"];
  readonly #request: ReplyRequest;
  readonly #timeoutMs: number;
  /** One stub for all calls, so that they arrive in order. */
  #stub: LimiterStub;

  constructor(request: ReplyRequest, timeoutMs: number, { endpoints, slotHolder }: LimiterAccess) {
    this.#id = callIdOf(slotHolder, crypto.randomUUID());
    this.#endpoints = endpoints;
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#stub = endpoints.getByName(request.endpointId);
  }

  /** Never rejects. */
  async acquire(signal: AbortSignal): Promise<SlotDecision> {
    const { callLimits } = this.#request;
    const until = now() + this.#timeoutMs;
    const limiterDecision = await this.#call(signal, (stub) =>
      stub.acquire({
        id: this.#id,
        limits: callLimits,
        waitMs: until - now(),
        leaseMs: this.#timeoutMs + LEASE_MARGIN_MS,
      }),
    );
    return limiterDecision ?? { admitted: true };
  }

  /**
   * Never rejects.
   *
   * @param pauseMs how long the provider asks all callers to wait
   */
  async release(pauseMs: number): Promise<void> {
    await this.#call(null, (stub) => stub.release({ id: this.#id, pauseMs }));
  }

  /**
   * Calls the object, again if it failed: a crash interrupts all waiting calls, and they queue again in the restarted
   * object.
   */
  async #call<T>(signal: AbortSignal | null, call: (stub: LimiterStub) => Promise<T>): Promise<T | null> {
    for (let tries = 0; tries < MAX_TRIES && signal?.aborted !== true; tries++) {
      try {
        return await call(this.#stub);
      } catch (error) {
        const { endpointId } = this.#request;
        console.error({ event: "limiter-unreachable", endpointId, error: rootCause(error) });
        // After an error a stub can stay broken.
        this.#stub = this.#endpoints.getByName(endpointId);
      }
    }
    return null;
  }
}

function slotRejection(waitedMs: number, retryAfterSeconds: number | null): ReplyFailure {
  const message =
    retryAfterSeconds === null
      ? `The call waited ${waitedMs} ms for the endpoint's own limits (max_calls_per_second, max_concurrency), and was not sent.`
      : `The call waited ${waitedMs} ms and was not sent: the provider asks all callers to wait another ${retryAfterSeconds} s.`;
  return replyFailure("rate_limited", message, { retryAfterSeconds });
}

/** How long a provider that limits its callers asks them to wait, in milliseconds. */
const pauseMsOf = (final: Parameters<Slot["release"]>[0]): number =>
  final.type === "failed" && final.code === "rate_limited" ? (final.retry?.afterMs ?? 0) : 0;
