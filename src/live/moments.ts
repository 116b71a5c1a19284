import { hasEnded } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { Log } from "./log.ts";
import { REMEMBERED_MS } from "./once.ts";

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
