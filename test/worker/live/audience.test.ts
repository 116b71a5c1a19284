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
const MAX_FOLLOWERS = 1_000;

const withAudience = (act: (audience: Subscribers) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.getByName(crypto.randomUUID()), (_, ctx) => act(new Subscribers(ctx, () => ({}))));

const open = (audience: Subscribers, readerId: string): Promise<EventStream> =>
  audience.receive(readerId, async () => audience.openStream(readerId, null, null));

it("opens no stream for a reader who has already left", () =>
  withAudience(async (audience) => {
    const stream = await audience.receive("early", async () => {
      audience.leave("early");
      return audience.openStream("early", null, null);
    });
    expect(audience.hasSubscribers).toBe(false);
    await expect(stream.readable.getReader().read()).rejects.toThrow("The reader has gone");
  }));

it("frees the place of a reader who leaves, and no other", () =>
  withAudience(async (audience) => {
    const first = await open(audience, "first");
    await open(audience, "second");
    audience.leave("first");
    audience.leave("first");
    audience.leave("nobody");
    expect(audience.hasSubscribers).toBe(true);
    await expect(first.readable.getReader().read()).rejects.toThrow();
    audience.leave("second");
    expect(audience.hasSubscribers).toBe(false);
  }));

it("probes its subscribers before it refuses one, but not without limit", () =>
  withAudience(async (audience) => {
    const beats = vi.spyOn(EventStream.prototype, "beat").mockReturnValue();
    const streams = await Promise.all(Array.from({ length: MAX_FOLLOWERS }, (_, n) => open(audience, `${n}`)));
    // Four come at once and share the probes.
    await Promise.all(Array.from({ length: 4 }, () => audience.makeRoom()));
    expect(audience.isFull).toBe(true);
    expect(beats.mock.calls.length).toBeLessThanOrEqual(8 * MAX_FOLLOWERS);
    expect(beats.mock.calls.length).toBeGreaterThan(MAX_FOLLOWERS);
    beats.mockClear();
    await audience.makeRoom();
    expect(beats).not.toHaveBeenCalled();
    beats.mockRestore();
    for (const stream of streams) stream.cut("The test is over");
    expect(audience.hasSubscribers).toBe(false);
  }));
