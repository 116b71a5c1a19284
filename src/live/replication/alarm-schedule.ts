/**
 * When an object's alarm is due, and when its storage can be emptied. An object has only one alarm, so all due times go
 * through this file.
 *
 * What happens at an alarm does not belong here: that is in `session-object.ts`. Effects: the object's alarm, and the
 * clock.
 */
import { handbackTimeOf, hasEnded, revision } from "../../core/session.ts";
import { DAY_MS, now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Log } from "../log/log.ts";
import { IDEMPOTENCY_PERIOD_MS } from "../log/idempotency.ts";

/** How long nobody has changed an active session when it is no longer kept in its object, in milliseconds. */
export const UNLOAD_AFTER_MS = 7 * DAY_MS;

/**
 * Whether the object can empty its storage: D1 has everything and rejects none of the messages, no idempotency key is
 * left, and the session has ended or is idle.
 *
 * @param idleSince an active session is idle if it was not changed since then
 * @param isInUse whether an active session is in use all the same
 */
export function canUnload(log: Log, idleSince: EpochMs, isInUse: () => boolean): boolean {
  const { state } = log;
  if (!state || state.removed || state.deadLetters.length > 0) return false;
  if (revision(state.replicated) !== revision(state.session)) return false;
  const isIdle = !isExpectedToChange(state) && state.session.updatedAt <= idleSince && !isInUse();
  return (hasEnded(state.session) || isIdle) && log.results.lastSavedAt === null;
}

/** Whether the session will change without a call: it starts, goes back to the bot, has a turn or a replay. */
const isExpectedToChange = ({ session, turn, replay }: NonNullable<Log["state"]>): boolean =>
  session.status !== "ACTIVE" || turn !== null || replay !== undefined || handbackTimeOf(session) < Infinity;

/** How soon an object that stopped during a replay goes on with it, in milliseconds. */
const REPLAY_ALARM_MS = 30_000;

/** When an active session may be idle. `Infinity` for never. Until then nothing has to be looked at. */
export function idleAt(log: Log, at: EpochMs): EpochMs {
  const session = log.state?.session;
  // What is in use all the same, or not accepted by D1, is looked at once a day.
  return session?.status === "ACTIVE" ? Math.max(session.updatedAt + UNLOAD_AFTER_MS, at + DAY_MS) : Infinity;
}

/** When a session must start or goes back to the bot, or when its last idempotency key expires after its end. `Infinity` for never. */
export function nextAlarm(log: Log): EpochMs {
  const { state } = log;
  if (!state) return Infinity;
  if (!hasEnded(state.session)) {
    const replayAt = state.replay ? now() + REPLAY_ALARM_MS : Infinity;
    return Math.min(state.session.dueAt ?? Infinity, handbackTimeOf(state.session), replayAt);
  }
  // Queried only after the end: every append calls this function.
  const lastSavedAt = log.state ? log.results.lastSavedAt : null;
  return lastSavedAt === null ? Infinity : lastSavedAt + IDEMPOTENCY_PERIOD_MS;
}

/** The furthest that an alarm is set ahead, in milliseconds. The platform rejects alarms after the year 2189. */
const MAX_ALARM_AHEAD_MS = 365 * DAY_MS;

/** The time for the alarm. For a time too far ahead, an earlier alarm sets the next one. */
const alarmTime = (at: EpochMs, from: EpochMs): EpochMs => Math.min(at, from + MAX_ALARM_AHEAD_MS);

/** Sets the alarm to a time, whatever it was set to. `Infinity` for no alarm. */
export const replaceAlarm = (storage: DurableObjectStorage, at: EpochMs): Promise<void> =>
  at === Infinity ? storage.deleteAlarm() : storage.setAlarm(alarmTime(at, now()));

/** Sets the alarm to a time, unless it is set to an earlier one. */
export async function setAlarmBy(storage: DurableObjectStorage, at: EpochMs): Promise<void> {
  // Most changes need no alarm, and reading the current one costs as much as an append.
  if (at === Infinity) return;
  const by = alarmTime(at, now());
  if (by < ((await storage.getAlarm()) ?? Infinity)) await storage.setAlarm(by);
}
