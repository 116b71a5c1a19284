/** Which sockets and event streams are disconnected because too much of what they were sent may be unread. */
import { describe, expect, it } from "vitest";
import { isTooMuch, laggards, stalledReplays } from "../../../src/live/streaming/unread-events.ts";

const MB = 1_048_576;
const NOW = 1_000_000;
const ALL = 16 * MB;

const open = (mb: number) => ({ unreadBytes: mb * MB, closedAt: null });
const closing = (mb: number, sinceMs: number) => ({ unreadBytes: mb * MB, closedAt: NOW - sinceMs });

describe("sockets with unread events", () => {
  it("stay open up to 6 MiB each and 16 MiB together", () => {
    const sockets = [open(6), open(6), open(4), open(0)];
    expect(isTooMuch(sockets, ALL)).toBe(false);
    expect(laggards(sockets, ALL, NOW)).toEqual([]);
  });

  it("are disconnected over 6 MiB, and no other is", () => {
    const sockets = [open(1), open(6.1), open(3)];
    expect(isTooMuch(sockets, ALL)).toBe(true);
    expect(laggards(sockets, ALL, NOW)).toEqual([open(6.1)]);
  });

  it("are disconnected over 16 MiB together: those with the most, and no more than needed", () => {
    const sockets = [open(1), open(3), ...Array.from({ length: 7 }, () => open(2))];
    expect(laggards(sockets, ALL, NOW)).toEqual([open(3)]);
    const crowd = Array.from({ length: 1_000 }, () => open(0.1));
    expect(laggards(crowd, ALL, NOW)).toHaveLength(840);
  });

  it("that were asked to close do not count while their clients may still answer, and count again if they do not", () => {
    const sockets = [closing(4, 100), closing(4, 100), closing(4, 100), open(3), open(2)];
    expect(isTooMuch(sockets, ALL)).toBe(true);
    expect(laggards(sockets, ALL, NOW)).toEqual([]);
    const later = sockets.map((socket) => (socket.closedAt === null ? socket : closing(4, 3_000)));
    expect(laggards(later, ALL, NOW)).toEqual([open(3)]);
  });
});

describe("event streams whose replays wait", () => {
  const waiting = (mb: number, sinceMs: number) => ({ pendingReplayBytes: mb * MB, waitingSince: NOW - sinceMs });

  it("stay open while they leave room for another, however long they wait", () => {
    expect(stalledReplays([waiting(4, 50_000), waiting(11, 50_000)], ALL, NOW)).toEqual([]);
  });

  it("stay open while their readers read, however much waits for all of them", () => {
    const streams = Array.from({ length: 40 }, () => waiting(1, 1_900));
    expect(stalledReplays(streams, ALL, NOW)).toEqual([]);
  });

  it("are disconnected when they leave no room: those that wait longest, and no more than needed", () => {
    const live = { pendingReplayBytes: 0, waitingSince: NOW - 50_000 };
    const streams = [live, waiting(3, 3_000), waiting(1, 9_000), waiting(1, 5_000), waiting(12, 0)];
    expect(stalledReplays(streams, ALL, NOW)).toEqual([waiting(1, 9_000), waiting(1, 5_000)]);
  });
});
