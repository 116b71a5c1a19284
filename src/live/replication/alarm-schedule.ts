import { hasEnded } from "../../core/session.ts";
import { DAY_MS, now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Log } from "../log/log.ts";
import { IDEMPOTENCY_PERIOD_MS } from "../log/idempotency.ts";

/**
 * Whether an object of which the index database has everything may let go of it: once its session has ended, unless a
 * message stays with it, or someone may still ask what became of a call.
 */
export function canUnload(log: Log): boolean {
  const { state } = log;
  return state !== null && hasEnded(state.session) && state.deadLetters.length === 0 && log.lastSavedAt === null;
}

/** When a session is to start by itself, or the last of its callers' keys is forgotten after its end. `Infinity` for never. */
export function nextAlarm(log: Log): EpochMs {
  const { state } = log;
  if (!state) return Infinity;
  if (!hasEnded(state.session)) return state.session.dueAt ?? Infinity;
  // Looked up at the end only: what is asked here is asked behind every append.
  const { lastSavedAt } = log;
  return lastSavedAt === null ? Infinity : lastSavedAt + IDEMPOTENCY_PERIOD_MS;
}

/** How far ahead an alarm is set at most, in milliseconds: the platform takes none for a year after 2189. */
const MAX_ALARM_AHEAD_MS = 365 * DAY_MS;

/** For when to set the alarm, so that it comes at a moment; for one far ahead it comes between, and is set again. */
const alarmTime = (at: EpochMs, from: EpochMs): EpochMs => Math.min(at, from + MAX_ALARM_AHEAD_MS);

/** Sets the alarm for a moment, unless it comes sooner anyway. */
export async function setAlarmBy(storage: DurableObjectStorage, at: EpochMs): Promise<void> {
  // Most changes need no alarm, and reading the current one would cost as much as an append.
  if (at === Infinity) return;
  const by = alarmTime(at, now());
  if (by < ((await storage.getAlarm()) ?? Infinity)) await storage.setAlarm(by);
}
