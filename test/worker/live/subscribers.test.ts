/**
 * Who counts as a subscriber of a session: readers who leave early or later, and a full session. Runs inside an object, without
 * HTTP.
 */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { Subscribers } from "../../../src/live/streaming/subscribers.ts";
import { EventStream } from "../../../src/live/streaming/event-stream.ts";

/** The limit of subscribers of one session. */
const MAX_SUBSCRIBERS = 1_000;

const withSubscribers = (act: (subscribers: Subscribers) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.getByName(crypto.randomUUID()), (_, ctx) => act(new Subscribers(ctx, () => ({}))));

const open = (subscribers: Subscribers, readerId: string): Promise<EventStream> =>
  subscribers.callForReader(readerId, async () => subscribers.openStream(readerId, null, null));

it("opens no stream for a reader who has already left", () =>
  withSubscribers(async (subscribers) => {
    const stream = await subscribers.callForReader("early", async () => {
      subscribers.closeReader("early");
      return subscribers.openStream("early", null, null);
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
