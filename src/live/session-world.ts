/**
 * Everything that a session's room needs from outside: its log, the clock, D1, its subscribers, its endpoints and the object
 * that holds it. Injected once, so that the room runs without Workers. Types only.
 */
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { TurnContext } from "../store/turn-context.ts";
import type { FanOutPorts } from "../turn/fan-out.ts";
import type { Log } from "./log/log.ts";
import type { CloseReason, SessionEvent } from "./streaming/events.ts";

/** What the room asks of D1. Each is one round trip, but a long log. */
export interface SessionRecords {
  findSession: (id: string) => Promise<Session | null>;
  readLog: (session: Session) => Promise<Message[]>;
  readTurnContext: (session: Session) => Promise<TurnContext>;
  /** Writes an ended session that is not loaded. */
  writeSession: (session: Session) => Promise<void>;
  deleteSession: (id: string) => Promise<void>;
}

/** Copies the log to D1. */
export interface Replication {
  /** Starts at once. Call it in the transaction of the change. */
  start: () => void;
  /** Starts within a second, together with what comes until then. */
  startSoon: () => void;
  /** Waits until D1 has everything up to now, or is known to be in trouble, or time is over. */
  waitUntilReplicated: (timeoutMs: number) => Promise<void>;
}

export interface SessionWorld {
  /** The session's id. */
  id: string;
  log: Log;
  clock: () => EpochMs;
  records: SessionRecords;
  replication: Replication;
  /** Sends an event to all subscribers. */
  emit: (event: SessionEvent) => void;
  /** Closes all subscriptions. */
  closeSubscriptions: (reason: CloseReason) => void;
  callEndpoints: FanOutPorts["callEndpoints"];
  /** Sets the alarm for what is due next, or for a moment if that is sooner. */
  scheduleAlarm: (by?: EpochMs) => Promise<void>;
  /** Keeps the object running until work is done, whether its caller stays or goes. */
  keepAlive: (work: Promise<unknown>) => void;
}
