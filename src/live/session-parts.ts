/**
 * Creates the parts of a session in its object and connects them: the log, the subscribers, the replicator, and the
 * room with its world. Only this file builds the room's world from the Workers runtime; tests build their own.
 *
 * Rules do not belong here. Effects: opens the log in storage.
 */
import type { Session } from "../core/session.ts";
import { now } from "../core/time.ts";
import type { TurnSeriesReport } from "../core/turn.ts";
import { releaseEarlierSlots } from "../providers/limits/endpoint-slots.ts";
import { logStore } from "../store/archive/bucket.ts";
import { Log } from "./log/log.ts";
import { idleAt, nextAlarm, replaceAlarm, setAlarmBy } from "./replication/alarm-schedule.ts";
import { Replicator } from "./replication/replicator.ts";
import { sessionRecords } from "./session-records.ts";
import { SessionRoom } from "./session-room.ts";
import type { SessionWorld } from "./session-world.ts";
import { Subscribers } from "./streaming/subscribers.ts";
import { Subscriptions } from "./subscribe.ts";
import { TurnSeries } from "./turn-series.ts";
import { endpointCaller } from "./turns/call-endpoints.ts";

/** The longest that an answer waits for D1, in milliseconds, unless a variable says otherwise. */
const DEFAULT_REPLICATION_WAIT_MS = 50;

/** What the dialects do for a session. */
interface SessionDialect {
  /** Presents a session, without its messages, in the form of its dialect. */
  present: (session: Session) => Record<string, unknown>;
  reportTurns: (session: Session) => TurnSeriesReport;
}

/** What an instance of the object does at endpoints. */
function endpointPorts(ctx: DurableObjectState, env: Env): Pick<SessionWorld, "callEndpoints" | "releaseEarlierSlots"> {
  const slotHolder = { object: ctx.id.name ?? "", instance: crypto.randomUUID() };
  return {
    callEndpoints: endpointCaller({ env, waitUntil: (work) => ctx.waitUntil(work), slotHolder }),
    releaseEarlierSlots: (endpointIds) => releaseEarlierSlots(env.ENDPOINTS, endpointIds, slotHolder),
  };
}

export function sessionParts(ctx: DurableObjectState, env: Env, { present, reportTurns }: SessionDialect) {
  const { storage } = ctx;
  const [log, subscribers] = [new Log(storage), new Subscribers(ctx, present)];
  /** When the next work is due, apart from replication. `Infinity` for never. */
  const nextDueTime = () => Math.min(nextAlarm(log), subscribers.sockets.nextExpiry());
  const scheduleAlarm = (by = nextDueTime()) => setAlarmBy(storage, by);
  const replicator = new Replicator(log, {
    d1: env.DB,
    storage,
    groupCommit: env.GROUP_COMMIT !== "off",
    maxWaitMs: Number(env.REPLICATION_WAIT_MS ?? DEFAULT_REPLICATION_WAIT_MS),
    nextAlarm: nextDueTime,
    onReplicated: async () => {
      if (!(await room.unload())) await scheduleAlarm();
    },
  });
  /** Ends the handler of an alarm: schedules the next one, if any is due. */
  const endAlarm = (): Promise<void> => {
    // Only here is an alarm set for when the session may be idle: an append would write it each time.
    const next = Math.min(nextDueTime(), idleAt(log, now()));
    const isAlone = !replicator.needsAlarm && log.state?.removed === false;
    // In the transaction of the last writes. The runtime would delete the alarm in one of its own.
    return isAlone ? replaceAlarm(storage, next) : scheduleAlarm(next);
  };
  const world: SessionWorld = {
    id: ctx.id.name ?? "",
    log,
    clock: now,
    records: sessionRecords(env),
    replication: replicator,
    emit: (event) => subscribers.broadcast(event),
    hasSubscribers: () => subscribers.hasSubscribers,
    closeSubscriptions: (reason) => subscribers.closeAll(reason),
    ...endpointPorts(ctx, env),
    reportTurns,
    scheduleAlarm,
    keepAlive: (work) => ctx.waitUntil(work),
  };
  const room = new SessionRoom(world);
  const series = new TurnSeries(world, room);
  const subscriptions = new Subscriptions(room, subscribers, logStore(env), log);
  return { log, subscribers, replicator, room, series, subscriptions, scheduleAlarm, endAlarm };
}
