import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallLimits } from "../../../src/core/endpoint.ts";
import type { SlotDecision } from "../../../src/providers/limits/rate-limiter.ts";
import { RateLimiter } from "../../../src/providers/limits/rate-limiter.ts";

const limits = (maxConcurrency: number, maxCallsPerSecond = 0): CallLimits => ({ maxConcurrency, maxCallsPerSecond });

/** A rate limiter, and its decisions by call. */
function aGate(of: CallLimits, gate = new RateLimiter()) {
  const answers: Record<string, SlotDecision> = {};
  const order: string[] = [];
  gate.limit(of, 0);
  const come = (id: string, now: number, { waitMs = 60_000, holdMs = 60_000 } = {}) => {
    const answer = (admission: SlotDecision) => {
      answers[id] = admission;
      if (admission.admitted) order.push(id);
    };
    gate.enter({ id, until: now + waitMs, holdMs, answer });
    return gate.open(now);
  };
  return { gate, come, order, answers };
}

/** A call that arrives some time after the one before, and takes some time. In milliseconds. */
interface Planned {
  after: number;
  takes: number;
}

/** Runs planned calls. @returns when each began, in which order, and the highest number at the same time */
function play(concurrency: number, rate: number, calls: Planned[]) {
  const { gate, come, order } = aGate(limits(concurrency, rate));
  const begun: number[] = [];
  const ends = new Map<string, number>();
  let due = 0;
  const arrivals = calls.map(({ after }) => (due += after));
  let [arrived, most] = [0, 0];
  for (let now = 0; begun.length < calls.length; now += 10) {
    for (const [id, end] of ends) if (end <= now && ends.delete(id)) gate.leave(id);
    for (; (arrivals[arrived] ?? Infinity) <= now; arrived++) come(`${arrived}`, now, { waitMs: 1e9, holdMs: 1e9 });
    gate.open(now);
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
    const { gate, come, order } = aGate(limits(2));
    for (const id of ["a", "b", "c", "d"]) come(id, 0);
    expect(order).toEqual(["a", "b"]);
    gate.leave("b");
    gate.open(10);
    expect(order).toEqual(["a", "b", "c"]);
    gate.leave("a");
    gate.leave("c");
    gate.open(20);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("admits no more calls in any second than its rate", () => {
    const { gate, come, order } = aGate(limits(0, 2));
    come("a", 0);
    come("b", 900);
    expect(come("c", 950)).toBe(1000);
    gate.open(999);
    expect(order).toEqual(["a", "b"]);
    come("d", 1000);
    expect(order).toEqual(["a", "b", "c"]);
    expect(gate.open(1000)).toBe(1900);
    gate.open(1900);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("keeps both limits and the order for any sequence of calls", () => {
    const step = fc.record({ after: fc.nat(700), takes: fc.nat(3000) });
    const property = (concurrency: number, rate: number, calls: Planned[]) => {
      const { order, begun, most } = play(concurrency, rate, calls);
      expect(most).toBeLessThanOrEqual(concurrency);
      expect(order).toEqual(calls.map((_, n) => `${n}`));
      for (const [n, at] of begun.entries()) {
        expect(begun.filter((other, m) => m >= n && other < at + 1000).length).toBeLessThanOrEqual(rate);
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
    const { gate, come, order } = aGate(limits(1));
    for (const id of ["a", "b", "c", "d"]) come(id, 0);
    gate.limit(limits(3), 2);
    gate.open(10);
    expect(order).toEqual(["a", "b", "c"]);
    gate.limit(limits(9), 1);
    gate.open(20);
    expect(order).toEqual(["a", "b", "c"]);
    gate.limit(limits(0), 3);
    gate.open(30);
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  it("forgets a call that leaves while it waits", () => {
    const { gate, come, order, answers } = aGate(limits(1));
    for (const id of ["a", "b", "c"]) come(id, 0);
    gate.leave("b");
    gate.leave("a");
    gate.open(10);
    expect(order).toEqual(["a", "c"]);
    expect(answers["b"]).toBeUndefined();
  });

  it("reclaims the slot of a call that never released it", () => {
    const { gate, come, order } = aGate(limits(1));
    come("dead", 0, { holdMs: 500 });
    expect(come("next", 100)).toBe(500);
    gate.open(499);
    expect(order).toEqual(["dead"]);
    gate.open(500);
    expect(order).toEqual(["dead", "next"]);
  });

  it("turns away a call that has waited its time, and no other", () => {
    const { gate, come, answers } = aGate(limits(1));
    come("a", 0);
    come("long", 0, { waitMs: 900 });
    expect(come("short", 0, { waitMs: 200 })).toBe(200);
    expect(gate.open(200)).toBe(900);
    expect(answers).toEqual({ a: { admitted: true }, short: { admitted: false, retryAfterSeconds: null } });
  });

  it("admits a call that may not wait when there is room", () => {
    const { come, order } = aGate(limits(1));
    come("a", 0, { waitMs: 0 });
    expect(order).toEqual(["a"]);
  });

  it("admits nobody during a pause, and turns away calls whose time ends before it", () => {
    const { gate, come, order, answers } = aGate(limits(5));
    gate.pause(7000, 0);
    gate.pause(10, 0);
    expect(come("patient", 0)).toBe(7000);
    come("hasty", 100, { waitMs: 3000 });
    expect(answers).toEqual({ hasty: { admitted: false, retryAfterSeconds: 7 } });
    gate.open(6999);
    expect(order).toEqual([]);
    gate.open(7000);
    expect(order).toEqual(["patient"]);
  });

  it("pauses for an hour at most", () => {
    const { gate, come } = aGate(limits(5));
    gate.pause(1e15, 0);
    expect(come("a", 0, { waitMs: 1e16 })).toBe(3_600_000);
  });

  it("continues from the state of an earlier one", () => {
    const earlier = aGate(limits(1));
    earlier.come("a", 0);
    earlier.gate.pause(300, 0);
    const { gate, come, order } = aGate(limits(1), new RateLimiter(earlier.gate.inside));
    come("b", 400);
    expect(order).toEqual([]);
    gate.leave("a");
    gate.open(400);
    expect(order).toEqual(["b"]);
  });

  it("accepts a repeated call whose answer was lost", () => {
    const { come, order, gate } = aGate(limits(1));
    come("a", 0);
    come("a", 10);
    expect(order).toEqual(["a", "a"]);
    expect([...gate.inside.leases.keys()]).toEqual(["a"]);
  });
});
