/**
 * What a session's room needs from outside: the log, the clock, D1, subscribers, endpoints and the object around it.
 * Injected as one object, so that the room runs without the Workers runtime.
 *
 * Implementations do not belong here: `session-parts.ts` connects them. Types only. Pure.
 */
import type { Endpoint } from "../core/endpoint.ts";
import type { Message } from "../core/message.ts";
import type { ChangeableField, Session } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { TurnSeriesReport } from "../core/turn.ts";
import type { TurnContext, cachedReferences, cachedTurnContext } from "../store/turn-context.ts";
import type { FanOutPorts } from "../turn/fan-out.ts";
import type { Log } from "./log/log.ts";
import type { CloseReason, SessionEvent } from "./streaming/events.ts";

/** What the room reads and writes in D1 and in the archive. A call of D1 is one round trip, unless it says otherwise. */
export interface SessionRecords {
  findSession: (id: string) => Promise<Session | null>;
  /** Reads messages of the log after a `seq`, oldest first, as many as are read at once. */
  readMessages: (session: Session, after: number) => Promise<Message[]>;
  readTurnContext: (session: Session) => Promise<TurnContext>;
  /** From the memory of the isolate, without a round trip: see `store/turn-context.ts`. */
  cachedTurnContext: typeof cachedTurnContext;
  cachedReferences: typeof cachedReferences;
  findEndpoint: (id: string) => Promise<Endpoint | null>;
  /** Writes an ended session that is not loaded. @param changed which of its fields have changed */
  writeSession: (session: Session, changed: ChangeableField[]) => Promise<void>;
  /** Moves the log of a session into the archive. */
  archiveLog: (session: Session) => Promise<void>;
  /** Has the archive job look at the session again. */
  addArchiveCandidate: (id: string, at: EpochMs) => Promise<void>;
  deleteSession: (id: string) => Promise<void>;
}

/** Copies the log to D1. */
export interface Replication {
  /** Starts immediately. Call it in the transaction of the change. */
  start: () => void;
  /** Starts within 30 seconds, unless `start` is called before. Call it in the transaction of the change. */
  startByAlarm: () => void;
  /** Waits until D1 has all changes so far, unless that takes long. */
  waitIfQuick: () => Promise<void>;
  /** Waits until D1 has all changes so far, replication fails, or the time is over. */
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
  hasSubscribers: () => boolean;
  /** Closes all subscriptions. */
  closeSubscriptions: (reason: CloseReason) => void;
  callEndpoints: FanOutPorts["callEndpoints"];
  /** Releases what calls hold of the limits of endpoints that ended with an earlier instance of the object. Never rejects. */
  releaseEarlierSlots: (endpointIds: string[]) => Promise<void>;
  /** Begins to report a series of turns, if anybody wants to know. */
  reportTurns: (session: Session) => TurnSeriesReport;
  /** Sets the alarm for the next work that is due, or for an earlier time. */
  scheduleAlarm: (by?: EpochMs) => Promise<void>;
  /** Keeps the object running until the work ends, even if the caller disconnects. */
  keepAlive: (work: Promise<unknown>) => void;
}
