/**
 * How much of what was sent may be unread, and which connections to end for it.
 *
 * Of an event stream it is known what waits for its reader. Of a socket it is not: the runtime
 * queues what is sent without a limit, and has no `bufferedAmount`. So everything that was sent counts as unread until
 * the connection is gone or the client shows that it is alive. An object with such a queue does not hibernate, so
 * nothing of this needs to survive hibernation.
 *
 * Sending and closing do not belong here: that is `sockets.ts`. Pure; takes the time as an argument.
 */
import type { EpochMs } from "../../core/time.ts";

/**
 * The most bytes that one client may have to read, by a socket or an event stream. The longest reply fits, which a client
 * gets twice, in deltas and as a message: 400,000 characters, of which JSON makes up to six bytes each.
 */
export const MAX_UNREAD_BYTES = 6_291_456;

/**
 * The most bytes that all sockets of an object together may have to read; and the most of earlier events that may wait
 * for all its event streams together.
 */
export const MAX_UNREAD_BYTES_OF_ALL = 16_777_216;

/** How long a client may take to answer a Close frame before what it was sent counts again, in milliseconds. */
const CLOSING_MS = 2_000;

/** What a socket was sent. */
export interface UnreadEvents {
  /** Bytes sent since the last sign of life. */
  unreadBytes: number;
  /** When the socket was asked to close; `null` for an open one. */
  closedAt: EpochMs | null;
}

/** Whether one client has too much to read, or all together have, those included that were asked to close. */
export function isTooMuch(sockets: UnreadEvents[], maxBytes: number): boolean {
  let total = 0;
  for (const { unreadBytes, closedAt } of sockets) {
    total += unreadBytes;
    if (total > maxBytes || (closedAt === null && unreadBytes > MAX_UNREAD_BYTES)) return true;
  }
  return false;
}

/**
 * The open sockets to disconnect: those with too much to read, and then those with the most, until all together have
 * less than a number of bytes.
 */
export function laggards<S extends UnreadEvents>(sockets: S[], maxBytes: number, at: EpochMs): S[] {
  const counted = sockets.filter(({ closedAt }) => closedAt === null || closedAt < at - CLOSING_MS);
  let total = counted.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  const open = counted.filter(({ closedAt }) => closedAt === null);
  return open
    .toSorted((one, other) => other.unreadBytes - one.unreadBytes)
    .filter(({ unreadBytes }) => {
      const isLaggard = unreadBytes > 0 && (unreadBytes > MAX_UNREAD_BYTES || total > maxBytes);
      if (isLaggard) total -= unreadBytes;
      return isLaggard;
    });
}

/** How long a reader may take nothing while its replay leaves no room for others, in milliseconds. */
const STALLED_MS = 2_000;

/** What waits for the reader of an event stream. */
export interface PendingReplay {
  pendingReplayBytes: number;
  waitingSince: EpochMs | null;
}

/**
 * The event streams to disconnect: of those whose readers have taken nothing for a while, the ones that wait longest,
 * until all together have less than a number of bytes.
 */
export function stalledReplays<S extends PendingReplay>(streams: S[], maxBytes: number, at: EpochMs): S[] {
  let total = streams.reduce((sum, { pendingReplayBytes }) => sum + pendingReplayBytes, 0);
  if (total < maxBytes) return [];
  const since = ({ waitingSince }: S) => waitingSince ?? at;
  return streams
    .filter((stream) => stream.pendingReplayBytes > 0 && since(stream) <= at - STALLED_MS)
    .toSorted((one, other) => since(one) - since(other))
    .filter(({ pendingReplayBytes }) => {
      const leavesNoRoom = total >= maxBytes;
      if (leavesNoRoom) total -= pendingReplayBytes;
      return leavesNoRoom;
    });
}
