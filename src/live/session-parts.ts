/**
 * Joins the parts of a session in its object: the log in its storage, the subscribers on its sockets, the replicator, and
 * the room with its world. The one place where the room's world is made of Workers' parts.
 */
import type { Session } from "../core/session.ts";
import { now } from "../core/time.ts";
import { Log } from "./log/log.ts";
import { canUnload, nextAlarm, wakeBy } from "./replication/alarm-schedule.ts";
import { Replicator } from "./replication/replicator.ts";
import { sessionRecords } from "./session-records.ts";
import { SessionRoom } from "./session-room.ts";
import { Subscribers } from "./streaming/subscribers.ts";
import { Subscriptions } from "./subscribe.ts";
import { callEndpoints } from "./turns/call-endpoints.ts";

/** @param present shows a session, without its messages, in the form of its dialect */
export function sessionParts(
  ctx: DurableObjectState,
  env: Env,
  present: (session: Session) => Record<string, unknown>,
) {
  const { storage } = ctx;
  const log = new Log(storage);
  const subscribers = new Subscribers(ctx, present);
  /** When something is due beside replication. `Infinity` for never. */
  const nextDue = () => Math.min(nextAlarm(log), subscribers.sockets.nextExpiry());
  const scheduleAlarm = (by = nextDue()) => wakeBy(storage, by);
  const replicator = new Replicator(log, {
    d1: env.DB,
    storage,
    groupCommit: env.GROUP_COMMIT !== "off",
    nextAlarm: nextDue,
    onReplicated: () => (canUnload(log) ? log.clear() : scheduleAlarm()),
  });
  const room = new SessionRoom({
    id: ctx.id.name ?? "",
    log,
    clock: now,
    records: sessionRecords(env.DB),
    replication: replicator,
    emit: (event) => subscribers.broadcast(event),
    closeSubscriptions: (reason) => subscribers.closeAll(reason),
    callEndpoints,
    scheduleAlarm,
    keepAlive: (work) => ctx.waitUntil(work),
  });
  const subscriptions = new Subscriptions(room, subscribers, env.DB, log);
  return { log, subscribers, replicator, room, subscriptions, scheduleAlarm };
}
