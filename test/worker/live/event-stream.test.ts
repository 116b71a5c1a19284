/** The stream of one reader: it is cut off when it lags, and it stops reading when the reader has left. */
import { expect, it, vi } from "vitest";
import { EventStream } from "../../../src/live/streaming/event-stream.ts";
import type { Replay } from "../../../src/live/streaming/event-stream.ts";
import { CLOSE_REASONS, serverSentEvent } from "../../../src/live/streaming/events.ts";
import type { SessionEvent, StreamEvent } from "../../../src/live/streaming/events.ts";

const delta: SessionEvent = { type: "reply-delta", turnId: "t", chatId: "c", offset: 0, text: "" };

function* endless(): Replay {
  for (;;) yield [delta];
}

it.each([null, "t"])(
  "sends a reader that is more than 6 MiB behind what waits, and a last event: of turn %s",
  async (turnId) => {
    let gone = 0;
    const stream = new EventStream({ turnId, caller: null, role: null }, () => (gone += 1));
    const event: SessionEvent = { ...delta, text: "x".repeat(1_048_576) };
    const bytes = new TextEncoder().encode(serverSentEvent(event));
    for (let n = 0; n < 8; n++) stream.send(event, bytes);
    stream.sendHeartbeat();
    stream.close(CLOSE_REASONS.ended);
    const text = await new Response(stream.readable).text();
    const events = text.split("\n\n").map((block) => /^event: (.*)$/m.exec(block)?.[1]);
    expect(events).toEqual([...Array<string>(6).fill("reply-delta"), "stream-closed", undefined]);
    expect(text.endsWith(serverSentEvent({ type: "stream-closed", ...CLOSE_REASONS.unread }))).toBe(true);
    await vi.waitUntil(() => gone === 1);
  },
);

it("keeps what waits for a reader that is 6 MiB behind", async () => {
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => undefined);
  const bytes = new Uint8Array(1_048_576);
  for (let n = 0; n < 6; n++) stream.send(delta, bytes);
  stream.close(CLOSE_REASONS.ended);
  const text = await new Response(stream.readable).text();
  expect(text.endsWith(serverSentEvent({ type: "stream-closed", ...CLOSE_REASONS.ended }))).toBe(true);
});

it.each([
  ["a heartbeat", (stream: EventStream) => stream.sendHeartbeat()],
  ["an event", (stream: EventStream) => stream.send(delta, new Uint8Array(10))],
  ["a page of the past", (stream: EventStream) => void stream.catchUp(endless(), () => ({}))],
])("ends when its reader has not taken %s for a minute, and no sooner", async (_, write) => {
  const clock = vi.spyOn(Date, "now");
  const at = Date.now();
  let gone = 0;
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => (gone += 1));
  write(stream);
  await scheduler.wait(1);
  for (const [ms, expected] of [
    [15_000, 0],
    [59_000, 0],
    [61_000, 1],
  ] as const) {
    clock.mockReturnValue(at + ms);
    stream.sendHeartbeat();
    await scheduler.wait(5);
    expect(gone).toBe(expected);
  }
  clock.mockRestore();
});

it("stays open for a reader who takes each heartbeat, however long the session is silent", async () => {
  const clock = vi.spyOn(Date, "now");
  const at = Date.now();
  let gone = 0;
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => (gone += 1));
  const reader = stream.readable.getReader();
  for (let n = 1; n < 10; n++) {
    clock.mockReturnValue(at + n * 45_000);
    stream.sendHeartbeat();
    expect((await reader.read()).done).toBe(false);
    await scheduler.wait(1);
  }
  expect(gone).toBe(0);
  clock.mockRestore();
});

it("stops reading the past when its reader has left", async () => {
  let pages = 0;
  const past = (function* () {
    for (;;) {
      pages += 1;
      yield [delta];
    }
  })();
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => undefined);
  const replaying = stream.catchUp(past, () => ({}));
  await stream.readable.getReader().read();
  await vi.waitUntil(() => pages === 2);
  stream.abort("The reader has disconnected");
  await replaying;
  expect(pages).toBe(2);
});

it("lets other work run while a reader takes the past as fast as it comes", async () => {
  const content = "x".repeat(100_000);
  const message = { type: "message-appended", seq: 1, chatId: null, role: "user", content, timestamp: "" } as const;
  let pages = 0;
  const past = function* (): Replay {
    for (; pages < 200; pages += 1) yield [message];
    return [];
  };
  let turns = 0;
  const otherWork = (async () => {
    for (; pages < 200; turns += 1) await scheduler.wait(0);
  })();
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => undefined);
  const reader = stream.readable.getReader();
  const read = (async () => {
    while (!(await reader.read()).done);
  })();
  await stream.catchUp(past(), () => ({}));
  stream.end();
  await Promise.all([read, otherWork]);
  expect(turns).toBeGreaterThan(100);
});

it("writes the past in parts of 256 KiB as sent, however short the texts of a page are", async () => {
  const content = "\u0001".repeat(100_000);
  const message = { type: "message-appended", seq: 1, chatId: null, role: "user", content, timestamp: "" } as const;
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => undefined);
  const past = function* (): Replay {
    yield [message, message, message];
    return [];
  };
  void stream.catchUp(past(), () => ({}));
  await scheduler.wait(1);
  // One escape has six characters.
  expect(stream.pendingReplayBytes).toBeGreaterThan(600_000);
  expect(stream.pendingReplayBytes).toBeLessThan(601_000);
  stream.abort("The test is over");
});

it("has only what is of the reply, for a reader who needs no more", async () => {
  const types = [
    { type: "turn-started", turnId: "t", kind: "prompt" },
    { type: "message-appended", turnId: "t", role: "user", content: "a" },
    { type: "reply-start", turnId: "t", chatId: "c" },
    delta,
    { type: "message-appended", turnId: "t", role: "assistant", content: "b", status: "ok" },
    { type: "reply-end", turnId: "t", chatId: "c", status: "ok" },
    { type: "turn-ended", turnId: "t", status: "ok" },
  ] as unknown as SessionEvent[];
  const openStream = () => new EventStream({ turnId: "t", caller: null, role: null, replyOnly: true }, () => undefined);
  const live = openStream();
  for (const event of types) live.send(event, new TextEncoder().encode(serverSentEvent(event as StreamEvent)));
  const replayed = openStream();
  function* replay(): Replay {
    yield types;
    return [];
  }
  void replayed.catchUp(replay(), () => ({})).then(() => replayed.end());
  for (const { readable } of [live, replayed]) {
    const text = await new Response(readable).text();
    const sent = [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
    expect(sent).toEqual(["reply-delta", "message-appended", "reply-end", "turn-ended"]);
    expect(text).not.toContain('"role":"user"');
  }
});
