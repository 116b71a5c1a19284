/** The rate limiter of an endpoint, with a clock of its own and generated plans. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallLimits } from "../../../src/core/endpoint.ts";
import type { SlotDecision } from "../../../src/providers/limits/rate-limiter.ts";
import { RateLimiter } from "../../../src/providers/limits/rate-limiter.ts";

const limits = (maxConcurrency: number, maxCallsPerSecond = 0): CallLimits => ({ maxConcurrency, maxCallsPerSecond });

/** A rate limiter, and its decisions by call. */
function makeLimiter(of: CallLimits, limiter = new RateLimiter()) {
  const answers: Record<string, SlotDecision> = {};
  const order: string[] = [];
  limiter.setLimits(of, 0);
  const arrive = (id: string, now: number, { waitMs = 60_000, holdMs = 60_000 } = {}) => {
    const answer = (admission: SlotDecision) => {
      answers[id] = admission;
      if (admission.admitted) order.push(id);
    };
    limiter.enqueue({ id, until: now + waitMs, leaseMs: holdMs, onDecision: answer });
    return limiter.admitWaiting(now);
  };
  return { limiter, arrive, order, answers };
}

/** A call that arrives some time after the one before, and takes some time. In milliseconds. */
interface PlannedCall {
  after: number;
  takes: number;
}

/** Runs planned calls. @returns when each began, in which order, and the highest number at the same time */
function runPlan(concurrency: number, rate: number, calls: PlannedCall[]) {
  const { limiter, arrive, order } = makeLimiter(limits(concurrency, rate));
  const begun: number[] = [];
  const ends = new Map<string, number>();
  let due = 0;
  const arrivals = calls.map(({ after }) => (due += after));
  let [arrived, most] = [0, 0];
  for (let now = 0; begun.length < calls.length; now += 10) {
    for (const [id, end] of ends) if (end <= now && ends.delete(id)) limiter.remove(id);
    for (; (arrivals[arrived] ?? Infinity) <= now; arrived++) arrive(`${arrived}`, now, { waitMs: 1e9, holdMs: 1e9 });
    limiter.admitWaiting(now);
    for (const id of order.slice(begun.length)) {
      begun.push(now);
      ends.set(id, now + (calls[Number(id)]?.takes ?? 0));
    }
    most = Math.max(most, ends.size);
  }
  return { order, begun, most };
}

describe("a rate limiter", () => {
  it("admits calls in order of arrival, up to its concurrency", () => {
    const { limiter, arrive, order } = makeLimiter(limits(2));
    for (const id of ["a", "b", "c", "d"]) arrive(id, 0);
    expect(order).toEqual(["a", "b"]);
    limiter.remove("b");
    limiter.admitWaiting(10);
    expect(order).toEqual(["a", "b", "c"]);
    limiter.remove("a");
    limiter.remove("c");
    limiter.admitWaiting(20);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("admits no more calls in any second than its rate, with room for calls that are late on their way", () => {
    const { limiter, arrive, order } = makeLimiter(limits(0, 2));
    arrive("a", 0);
    arrive("b", 900);
    expect(arrive("c", 950)).toBe(1150);
    limiter.admitWaiting(1149);
    expect(order).toEqual(["a", "b"]);
    arrive("d", 1150);
    expect(order).toEqual(["a", "b", "c"]);
    expect(limiter.admitWaiting(1150)).toBe(2050);
    limiter.admitWaiting(2050);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("keeps both limits and the order for any sequence of calls", () => {
    const step = fc.record({ after: fc.nat(700), takes: fc.nat(3000) });
    const property = (concurrency: number, rate: number, calls: PlannedCall[]) => {
      const { order, begun, most } = runPlan(concurrency, rate, calls);
      expect(most).toBeLessThanOrEqual(concurrency);
      expect(order).toEqual(calls.map((_, n) => `${n}`));
      for (const [n, at] of begun.entries()) {
        expect(begun.filter((other, m) => m >= n && other < at + 1150).length).toBeLessThanOrEqual(rate);
      }
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 20 }),
        property,
      ),
      { numRuns: 50 },
    );
  });

  it("applies changed limits to waiting calls too", () => {
    const { limiter, arrive, order } = makeLimiter(limits(1));
    for (const id of ["a", "b", "c", "d"]) arrive(id, 0);
    limiter.setLimits(limits(3), 2);
    limiter.admitWaiting(10);
    expect(order).toEqual(["a", "b", "c"]);
    limiter.setLimits(limits(9), 1);
    limiter.admitWaiting(20);
    expect(order).toEqual(["a", "b", "c"]);
    limiter.setLimits(limits(0), 3);
    limiter.admitWaiting(30);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("forgets a call that leaves while it waits", () => {
    const { limiter, arrive, order, answers } = makeLimiter(limits(1));
    for (const id of ["a", "b", "c"]) arrive(id, 0);
    limiter.remove("b");
    limiter.remove("a");
    limiter.admitWaiting(10);
    expect(order).toEqual(["a", "c"]);
    expect(answers["b"]).toBeUndefined();
  });

  it("reclaims the slot of a call that never released it", () => {
    const { limiter, arrive, order } = makeLimiter(limits(1));
    arrive("dead", 0, { holdMs: 500 });
    expect(arrive("next", 100)).toBe(500);
    limiter.admitWaiting(499);
    expect(order).toEqual(["dead"]);
    limiter.admitWaiting(500);
    expect(order).toEqual(["dead", "next"]);
  });

  it("turns away a call that has waited its time, and no other", () => {
    const { limiter, arrive, answers } = makeLimiter(limits(1));
    arrive("a", 0);
    arrive("long", 0, { waitMs: 900 });
    expect(arrive("short", 0, { waitMs: 200 })).toBe(200);
    expect(limiter.admitWaiting(200)).toBe(900);
    expect(answers).toEqual({ a: { admitted: true }, short: { admitted: false, retryAfterSeconds: null } });
  });

  it("admits a call that may not wait when there is room", () => {
    const { arrive, order } = makeLimiter(limits(1));
    arrive("a", 0, { waitMs: 0 });
    expect(order).toEqual(["a"]);
  });

  it("admits nobody during a pause, and turns away calls whose time ends before it", () => {
    const { limiter, arrive, order, answers } = makeLimiter(limits(5));
    limiter.pause(7000, 0);
    limiter.pause(10, 0);
    expect(arrive("patient", 0)).toBe(7000);
    arrive("hasty", 100, { waitMs: 3000 });
    expect(answers).toEqual({ hasty: { admitted: false, retryAfterSeconds: 7 } });
    limiter.admitWaiting(6999);
    expect(order).toEqual([]);
    limiter.admitWaiting(7000);
    expect(order).toEqual(["patient"]);
  });

  it("pauses for an hour at most", () => {
    const { limiter, arrive } = makeLimiter(limits(5));
    limiter.pause(1e15, 0);
    expect(arrive("a", 0, { waitMs: 1e16 })).toBe(3_600_000);
  });

  it("continues from the state of an earlier one", () => {
    const earlier = makeLimiter(limits(1));
    earlier.arrive("a", 0);
    earlier.limiter.pause(300, 0);
    const { limiter, arrive, order } = makeLimiter(limits(1), new RateLimiter(earlier.limiter.state));
    arrive("b", 400);
    expect(order).toEqual([]);
    limiter.remove("a");
    limiter.admitWaiting(400);
    expect(order).toEqual(["b"]);
  });

  it("accepts a repeated call whose answer was lost", () => {
    const { arrive, order, limiter } = makeLimiter(limits(1));
    arrive("a", 0);
    arrive("a", 10);
    expect(order).toEqual(["a", "a"]);
    expect([...limiter.state.leases.keys()]).toEqual(["a"]);
  });
});
