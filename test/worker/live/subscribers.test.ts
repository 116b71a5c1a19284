/**
 * Who counts as a subscriber of a session: readers who leave early or later, and a full session. Runs inside an object, without
 * HTTP.
 */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { Subscribers } from "../../../src/live/streaming/subscribers.ts";
import { EventStream } from "../../../src/live/streaming/event-stream.ts";
import type { Replay } from "../../../src/live/streaming/event-stream.ts";
import { serverSentEvent } from "../../../src/live/streaming/events.ts";
import type { SessionEvent } from "../../../src/live/streaming/events.ts";

/** The limit of subscribers of one session. */
const MAX_SUBSCRIBERS = 1_000;

const STAFF = { turnId: null, caller: null, role: "service" } as const;

const withSubscribers = (act: (subscribers: Subscribers) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.getByName(crypto.randomUUID()), (_, ctx) => act(new Subscribers(ctx, () => ({}))));

const open = (subscribers: Subscribers, readerId: string): Promise<EventStream> =>
  subscribers.callForReader(readerId, async () => subscribers.openStream(readerId, STAFF));

it("opens no stream for a reader who has already left", () =>
  withSubscribers(async (subscribers) => {
    const stream = await subscribers.callForReader("early", async () => {
      subscribers.closeReader("early");
      return subscribers.openStream("early", STAFF);
    });
    expect(subscribers.hasSubscribers).toBe(false);
    await expect(stream.readable.getReader().read()).rejects.toThrow("The reader has disconnected");
  }));

it("frees the place of a reader who leaves, and no other", () =>
  withSubscribers(async (subscribers) => {
    const first = await open(subscribers, "first");
    await open(subscribers, "second");
    subscribers.closeReader("first");
    subscribers.closeReader("first");
    subscribers.closeReader("nobody");
    expect(subscribers.hasSubscribers).toBe(true);
    await expect(first.readable.getReader().read()).rejects.toThrow();
    subscribers.closeReader("second");
    expect(subscribers.hasSubscribers).toBe(false);
  }));

it("probes its subscribers before it refuses one, but not without limit", () =>
  withSubscribers(async (subscribers) => {
    const heartbeats = vi.spyOn(EventStream.prototype, "sendHeartbeat").mockReturnValue();
    const streams = await Promise.all(Array.from({ length: MAX_SUBSCRIBERS }, (_, n) => open(subscribers, `${n}`)));
    // Four come at once and share the probes.
    await Promise.all(Array.from({ length: 4 }, () => subscribers.removeLostReaders()));
    expect(subscribers.isFull).toBe(true);
    expect(heartbeats.mock.calls.length).toBeLessThanOrEqual(8 * MAX_SUBSCRIBERS);
    expect(heartbeats.mock.calls.length).toBeGreaterThan(MAX_SUBSCRIBERS);
    heartbeats.mockClear();
    await subscribers.removeLostReaders();
    expect(heartbeats).not.toHaveBeenCalled();
    heartbeats.mockRestore();
    for (const stream of streams) stream.abort("The test is over");
    expect(subscribers.hasSubscribers).toBe(false);
  }));

it("makes an event into text once for all readers, and once more for clients when these get another form", () =>
  withSubscribers(async (subscribers) => {
    const roles = ["service", "admin", "client", "client", "service"] as const;
    for (const role of roles) {
      const readerId = crypto.randomUUID();
      await subscribers.callForReader(readerId, async () => subscribers.openStream(readerId, { ...STAFF, role }));
    }
    const send = vi.spyOn(EventStream.prototype, "send").mockReturnValue();
    const textsOf = (event: SessionEvent) => {
      send.mockClear();
      subscribers.broadcast(event);
      return { sent: send.mock.calls.length, texts: new Set(send.mock.calls.map(([, bytes]) => bytes)).size };
    };
    const delta = { type: "reply-delta", turnId: "t", chatId: "c", offset: 0, text: "a" } as const;
    expect(textsOf(delta)).toEqual({ sent: 5, texts: 1 });
    const error = { code: "provider_error", message: "The provider answered 500" } as const;
    expect(textsOf({ type: "reply-end", turnId: "t", chatId: "c", status: "error", error })).toEqual({
      sent: 5,
      texts: 2,
    });
    const message = { type: "message-appended", seq: 1, chatId: null, content: "a", timestamp: "" } as const;
    expect(textsOf({ ...message, role: "system" })).toEqual({ sent: 3, texts: 1 });
    expect(textsOf({ ...message, role: "user" })).toEqual({ sent: 5, texts: 1 });
    send.mockRestore();
  }));

describe("earlier events that nobody takes", () => {
  const content = "x".repeat(262_144);
  const event = { type: "message-appended", seq: 1, chatId: null, role: "user", content, timestamp: "" } as const;
  const someone = { id: "someone" };
  const makePast = () => {
    const past = { pages: 0 };
    const replay = (function* (): Replay {
      for (;;) {
        past.pages += 1;
        yield [event];
      }
    })();
    return { past, replay };
  };
  /** Opens a stream that reads the past. */
  const openPast = async (subscribers: Subscribers, readerId: string) => {
    const stream = await open(subscribers, readerId);
    const { past, replay } = makePast();
    void subscribers.catchUp(stream, replay);
    return { past, stream };
  };

  // The whole page: a stream writes the next one only when nothing of this one is left.
  const pageBytes = new TextEncoder().encode(serverSentEvent(event)).byteLength;
  const readPage = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    for (let bytes = 0; bytes < pageBytes;) bytes += (await reader.read()).value?.byteLength ?? 0;
  };

  it("leave no room beyond 16 MiB, until those who have taken nothing for 2 seconds are disconnected", () =>
    withSubscribers(async (subscribers) => {
      const clock = vi.spyOn(Date, "now");
      const start = Date.now();
      clock.mockReturnValue(start);
      const stalled = [];
      for (let n = 0; n < 62; n++) stalled.push((await openPast(subscribers, `stalled ${n}`)).stream);
      await scheduler.wait(1);
      expect(subscribers.hasRoomFor(someone)).toBe(true);
      clock.mockReturnValue(start + 1_500);
      const { past, stream } = await openPast(subscribers, "reads");
      for (const name of ["later", "last"]) stalled.push((await openPast(subscribers, name)).stream);
      await scheduler.wait(1);
      expect(subscribers.hasRoomFor(someone)).toBe(false);
      // Whoever reads waits for the next page, and is not disconnected.
      const reader = stream.readable.getReader();
      await readPage(reader);
      await scheduler.wait(200);
      expect(past.pages).toBe(1);
      clock.mockReturnValue(start + 2_100);
      expect(subscribers.hasRoomFor(someone)).toBe(true);
      await readPage(reader);
      expect(past.pages).toBeGreaterThan(1);
      await expect(stalled[0]?.readable.getReader().read()).rejects.toThrow();
      expect((await stalled[40]?.readable.getReader().read())?.done).toBe(false);
      clock.mockRestore();
      for (const each of [...stalled, stream]) each.abort("The test is over");
    }));
});
