/** Tasks run one at a time. */
import { describe, expect, it } from "vitest";
import { TaskQueue } from "../../../src/live/turns/task-queue.ts";

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a task queue", () => {
  it("starts a task when the one before has ended, whether it succeeded or failed", async () => {
    const queue = new TaskQueue();
    const log: string[] = [];
    const job =
      (name: string, fails = false) =>
      async () => {
        log.push(`${name} begins`);
        await later(5);
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const settled = await Promise.allSettled([queue.run(job("a")), queue.run(job("b", true)), queue.run(job("c"))]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("can run a task before all waiting ones, and counts those", async () => {
    const queue = new TaskQueue();
    const log: string[] = [];
    const job = (name: string) => async () => {
      await later(1);
      log.push(name);
    };
    const all = [queue.run(job("running")), queue.run(job("waiting")), queue.runFirst(job("first"))];
    expect(queue.waiting).toBe(2);
    await Promise.all(all);
    expect(log).toEqual(["running", "first", "waiting"]);
    expect(queue.waiting).toBe(0);
  });
});
