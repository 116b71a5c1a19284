import { rootCause } from "../../core/failure.ts";
import type { ReplyFailure, ReplyRequest } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { now } from "../../core/time.ts";
import type { AcquireSlot, Slot } from "../call/attempts.ts";
import type { EndpointObject } from "./endpoint-object.ts";
import type { SlotDecision } from "./rate-limiter.ts";

/** How much longer than its reply a lease lasts that nobody gives back, in milliseconds. */
const LEASE_MARGIN_MS = 10_000;

/** How often an endpoint's object is asked before a call goes on without it. */
const MAX_TRIES = 2;

/** What it takes to keep an endpoint's limits. */
export interface LimiterAccess {
  endpoints: DurableObjectNamespace<EndpointObject>;
  /** Lets work end after the answer. */
  waitUntil: (work: Promise<void>) => void;
}

/**
 * How leave is asked to call an endpoint: of its object, one round trip to enter and one to leave that nobody waits for.
 * `null` where it has no limits: then nothing is asked.
 *
 * A wait is no longer than the reply may take (`timeout_ms`), and then fails as `rate_limited`, the call not made. A stop
 * gives the place up at once. If the object cannot be reached the call is made without it.
 *
 * A wait holds up no other call of its invocation. Six connections may wait for response headers, and what counts as one is
 * listed: fetch, KV, Cache, R2, Queues, TCP and WebSockets that go out. Calls to objects and to other Workers are not:
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export function slotsOf(request: ReplyRequest, timeoutMs: number, limiterAccess: LimiterAccess): AcquireSlot | null {
  const { maxCallsPerSecond, maxConcurrency } = request.callLimits;
  if (maxCallsPerSecond === 0 && maxConcurrency === 0) return null;
  return async (signal) => {
    const slotRequest = new SlotRequest(request, timeoutMs, limiterAccess.endpoints);
    const release = (pauseMs: number) => limiterAccess.waitUntil(slotRequest.release(pauseMs));
    const requestedAt = now();
    const decision = await Promise.race([slotRequest.acquire(signal), stopped(signal)]);
    if (decision === "stopped") {
      release(0);
      return replyFailure("cancelled", "The turn was stopped.");
    }
    if (!decision.admitted) return slotRejection(now() - requestedAt, decision.retryAfterSeconds);
    return { release: (last) => release(pauseMsOf(last)) } satisfies Slot;
  };
}

const stopped = (signal: AbortSignal): Promise<"stopped"> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });

/** What is asked of an endpoint's object. An RPC stub's own types make promises of every part of a union. */
type LimiterStub = Pick<EndpointObject, "acquire" | "release">;

/** One call's place in the line of its endpoint, and then inside. */
class SlotRequest {
  readonly #id = crypto.randomUUID();
  readonly #endpoints: LimiterAccess["endpoints"];
  readonly #request: ReplyRequest;
  readonly #timeoutMs: number;
  /** One stub for all that is said, so that it arrives in order. */
  #stub: LimiterStub;

  constructor(request: ReplyRequest, timeoutMs: number, endpoints: LimiterAccess["endpoints"]) {
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

  /** @param pauseMs for how long the provider asks all callers to stay away. Never rejects. */
  async release(pauseMs: number): Promise<void> {
    await this.#call(null, (stub) => stub.release(this.#id, pauseMs));
  }

  /** An object that goes down cuts off whoever waits; its next life takes them in again. */
  async #call<T>(signal: AbortSignal | null, call: (stub: LimiterStub) => Promise<T>): Promise<T | null> {
    for (let tries = 0; tries < MAX_TRIES && signal?.aborted !== true; tries++) {
      try {
        return await call(this.#stub);
      } catch (error) {
        const { endpointId } = this.#request;
        console.error({ event: "limiter-unreachable", endpointId, error: rootCause(error) });
        // A stub that has failed may fail for ever.
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
      : `The call waited ${waitedMs} ms and was not sent: the provider asks all callers to stay away for another ${retryAfterSeconds} s.`;
  return replyFailure("rate_limited", message, { retryAfterSeconds });
}

/** For how long a provider that limits its callers asks them to stay away, in milliseconds. */
const pauseMsOf = (last: Parameters<Slot["release"]>[0]): number =>
  last.type === "failed" && last.code === "rate_limited" ? (last.retry?.afterMs ?? 0) : 0;
