/** When events of calls go on: the first text and the end at once, other text in batches. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ReplyEvent } from "../../../src/core/reply.ts";
import { EventBatcher } from "../../../src/providers/call/event-batcher.ts";

const text = (words: string): ReplyEvent => ({ type: "text", text: words });

const END: ReplyEvent = { type: "end", finishReason: "stop", model: null, usage: null, providerRequestId: null };

function open(calls: number) {
  const sent: [number, ReplyEvent[]][][] = [];
  return { sent, batcher: new EventBatcher(calls, (batch) => sent.push([...batch])) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the events of a single call", () => {
  it("go at once when they are its first text or its end", () => {
    const { sent, batcher } = open(1);
    batcher.send(0, [text("a")]);
    expect(sent).toEqual([[[0, [text("a")]]]]);
    batcher.send(0, [END]);
    expect(sent).toEqual([[[0, [text("a")]]], [[0, [END]]]]);
  });

  it("are gathered for 16 ms otherwise, and joined", () => {
    const { sent, batcher } = open(1);
    for (const words of ["a", "b", "c"]) batcher.send(0, [text(words)]);
    vi.advanceTimersByTime(15);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent[1]).toEqual([[0, [text("bc")]]]);
  });

  it("go one by one, without a timer, when they come further apart than that", () => {
    const { sent, batcher } = open(1);
    for (const words of ["a", "b", "c"]) {
      batcher.send(0, [text(words)]);
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(20);
    }
    expect(sent).toEqual([[[0, [text("a")]]], [[0, [text("b")]]], [[0, [text("c")]]]]);
  });

  it("go in their order when the end comes before the batch is due", () => {
    const { sent, batcher } = open(1);
    batcher.send(0, [text("a")]);
    batcher.send(0, [text("b")]);
    batcher.send(0, [END]);
    expect(sent[1]).toEqual([[0, [text("b"), END]]]);
    vi.advanceTimersByTime(100);
    expect(sent).toHaveLength(2);
  });

  it("are not kept after a flush", () => {
    const { sent, batcher } = open(1);
    batcher.send(0, [text("a")]);
    batcher.send(0, [text("b")]);
    batcher.flush();
    batcher.flush();
    expect(sent[1]).toEqual([[0, [text("b")]]]);
    expect(sent).toHaveLength(2);
  });
});

describe("the texts of several calls", () => {
  it("are gathered for 40 ms after the last that was sent", () => {
    const { sent, batcher } = open(2);
    batcher.send(0, [text("a")]);
    batcher.send(1, [text("b")]);
    vi.advanceTimersByTime(2);
    expect(sent).toHaveLength(1);
    batcher.send(0, [text("c")]);
    vi.advanceTimersByTime(20);
    batcher.send(1, [text("d")]);
    vi.advanceTimersByTime(19);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent[1]).toEqual([
      [0, [text("c")]],
      [1, [text("d")]],
    ]);
  });
});

describe("the first texts of several calls", () => {
  it("wait for each other, but not for the next batch of text", () => {
    const { sent, batcher } = open(3);
    batcher.send(0, [text("a")]);
    batcher.send(1, [text("b")]);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(2);
    batcher.send(0, [text("later")]);
    batcher.send(2, [text("c")]);
    vi.advanceTimersByTime(2);
    expect(sent.flat().map(([index]) => index)).toEqual([0, 1, 0, 2]);
  });

  it("and the last end goes at once", () => {
    const { sent, batcher } = open(2);
    batcher.send(0, [END]);
    expect(sent).toEqual([]);
    batcher.send(1, [END]);
    expect(sent).toEqual([
      [
        [0, [END]],
        [1, [END]],
      ],
    ]);
  });
});
