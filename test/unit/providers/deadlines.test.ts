import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { readCallParams } from "../../../src/core/call-params.ts";
import { Deadlines } from "../../../src/providers/call/deadlines.ts";

const { limits } = readCallParams("{}");

describe("the deadlines of a reply", () => {
  test("listen to the turn's stop until the reply has ended, and not longer", () => {
    const turn = new AbortController();
    const deadlines = new Deadlines(limits, turn.signal);
    expect(getEventListeners(turn.signal, "abort")).toHaveLength(1);
    deadlines.clear();
    expect(getEventListeners(turn.signal, "abort")).toHaveLength(0);
    turn.abort();
    expect([deadlines.failure, deadlines.signal.aborted]).toEqual([null, false]);
  });

  test("expire at a stop, before it too", async () => {
    const turn = new AbortController();
    const running = new Deadlines(limits, turn.signal);
    turn.abort();
    for (const deadlines of [running, new Deadlines(limits, turn.signal)]) {
      expect(deadlines.signal.aborted).toBe(true);
      expect((await deadlines.expired).code).toBe("cancelled");
      deadlines.clear();
    }
  });
});
