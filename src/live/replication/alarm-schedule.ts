import { hasEnded } from "../../core/session.ts";
import { DAY_MS } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Log } from "../log/log.ts";
import { REMEMBERED_MS } from "../log/idempotency.ts";

/**
 * Whether an object of which the index database has everything may let go of it: once its session has ended, unless a
 * message stays with it, or someone may still ask what became of a call.
 */
export function mayLeave(log: Log): boolean {
  const { state } = log;
  return state !== null && hasEnded(state.session) && state.parked.length === 0 && log.lastAcknowledged === null;
}

/** When a session is to start by itself, or the last of its callers' keys is forgotten after its end. `Infinity` for never. */
export function nextMoment(log: Log): EpochMs {
  const { state } = log;
  if (!state) return Infinity;
  if (!hasEnded(state.session)) return state.session.dueAt ?? Infinity;
  // Looked up at the end only: what is asked here is asked behind every append.
  const { lastAcknowledged } = log;
  return lastAcknowledged === null ? Infinity : lastAcknowledged + REMEMBERED_MS;
}

/** How far ahead an alarm is set at most, in milliseconds: the platform takes none for a year after 2189. */
const FURTHEST_MS = 365 * DAY_MS;

/** For when to set the alarm, so that it comes at a moment; for one far ahead it comes between, and is set again. */
export const alarmFor = (at: EpochMs, asOf: EpochMs): EpochMs => Math.min(at, asOf + FURTHEST_MS);
