import type { Failed, Outcome } from "./failure.ts";
import { failed, invalid, success } from "./failure.ts";
import type { EpochMs } from "./time.ts";

export const SESSION_STATUSES = ["ACTIVE", "COMPLETED", "TERMINATED", "SCHEDULED"] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

export interface Feedback {
  rating?: number | undefined;
  comment?: string | undefined;
}

/** One conversation with one endpoint within a session. */
export interface Chat {
  chatId: string;
  /** The endpoint that answers; `null` on a chatbot session, where the chatbot names it. */
  endpointId: string | null;
}

/**
 * An ordered log of messages in one or more chats. A `chatbot` session has one chat, whose id is the session's; a
 * `comparison` session has one for each endpoint.
 */
export interface Session {
  id: string;
  kind: "chatbot" | "comparison";
  title: string | null;
  description: string | null;
  status: SessionStatus;
  startTime: EpochMs;
  endTime: EpochMs | null;
  /** When a `SCHEDULED` session becomes `ACTIVE` by itself. */
  dueAt: EpochMs | null;
  chatbotId: string | null;
  clientId: string | null;
  chats: Chat[];
  promptTemplate: string | null;
  contextStrategy: string | null;
  /** JSON text of an object: free-form values have no type that crosses an RPC boundary. */
  metadata: string | null;
  feedback: Feedback | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  /** The newest message's `seq`; 0 for none. */
  lastSeq: number;
  /** How often anything but the log was changed. */
  metadataVersion: number;
  /** Messages that the Session API shows. */
  messageCount: number;
}

/** Grows with every change of a session or its log, so that an older copy can never overwrite a newer one. */
export const revision = (session: Pick<Session, "lastSeq" | "metadataVersion">): number =>
  session.lastSeq + session.metadataVersion;

export const hasEnded = (session: Pick<Session, "status">): boolean =>
  session.status === "COMPLETED" || session.status === "TERMINATED";

/** What a caller may change of a session. A key that is absent stays as it is; `null` clears. */
export interface SessionChanges {
  title?: string | null | undefined;
  status?: SessionStatus | undefined;
  startTime?: EpochMs | undefined;
  endTime?: EpochMs | undefined;
  feedback?: Feedback | null | undefined;
  metadata?: string | null | undefined;
  promptTemplate?: string | null | undefined;
  contextStrategy?: string | null | undefined;
}

/**
 * The session as it is after a change. Ending sets `endTime` unless it is given, a return to `ACTIVE` clears it, and
 * an `endTime` alone is recorded and ends nothing.
 *
 * @returns `invalid` for times that contradict each other or the status
 */
export function amendSession(session: Session, changes: SessionChanges, at: EpochMs): Outcome<Session> {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) return success(session);
  const status = changes.status ?? session.status;
  const conflict = findContradiction(changes, status);
  if (conflict) return conflict;
  const startTime = startOf(session, changes, at);
  const endTime = endOf(session, changes, at);
  if (endTime !== null && endTime < startTime) return invalid(["endTime"], "must not be before startTime");
  const scheduled = status === "SCHEDULED" && startTime > at;
  const amended = { ...session, ...given, status, startTime, endTime, dueAt: scheduled ? startTime : null };
  return success({ ...amended, updatedAt: at, metadataVersion: session.metadataVersion + 1 });
}

function findContradiction(changes: SessionChanges, status: SessionStatus): Failed | null {
  if (changes.startTime !== undefined && status !== "SCHEDULED") {
    return invalid(["startTime"], "can be changed only while the session is SCHEDULED");
  }
  return changes.endTime !== undefined && changes.status === "ACTIVE"
    ? invalid(["endTime"], "cannot be given together with status ACTIVE")
    : null;
}

function startOf(session: Session, changes: SessionChanges, at: EpochMs): EpochMs {
  if (changes.startTime !== undefined) return changes.startTime;
  // One that is started ahead of its time has begun now, not at a moment still to come.
  return changes.status !== undefined && changes.status !== "SCHEDULED"
    ? Math.min(session.startTime, at)
    : session.startTime;
}

function endOf(session: Session, changes: SessionChanges, at: EpochMs): EpochMs | null {
  if (changes.endTime !== undefined) return changes.endTime;
  if (changes.status === undefined) return session.endTime;
  if (changes.status === "ACTIVE" || changes.status === "SCHEDULED") return null;
  return hasEnded(session) ? (session.endTime ?? at) : at;
}

/** A `SCHEDULED` session whose time has come is `ACTIVE`; every other is itself. */
export function startIfDue(session: Session, at: EpochMs): Session {
  if (session.status !== "SCHEDULED" || session.dueAt === null || session.dueAt > at) return session;
  return { ...session, status: "ACTIVE", dueAt: null, updatedAt: at, metadataVersion: session.metadataVersion + 1 };
}

/** Ends an `ACTIVE` session as `COMPLETED`; any other status is refused. */
export function endSession(session: Session, at: EpochMs): Outcome<Session> {
  if (session.status !== "ACTIVE") return failed({ reason: "session-not-active" });
  return amendSession(session, { status: "COMPLETED" }, at);
}
