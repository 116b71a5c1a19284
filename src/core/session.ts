/**
 * Sessions: their fields, and the rules for every change of status, times and settings. Storage is in `live/` and
 * `store/`. Pure; takes the time as an argument.
 * This folder has the nouns of the program and their rules, one file per noun. It imports nothing but zod.
 */
import { RECORDED_CHAT } from "./bridge.ts";
import type { Bridge } from "./bridge.ts";
import type { Failed, Outcome } from "./failure.ts";
import { failed, invalid, success } from "./failure.ts";
import type { Handling } from "./handover.ts";
import { handBack } from "./handover.ts";
import type { LogArchive } from "./log-archive.ts";
import type { ActivePath } from "./message-tree.ts";
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
  /** The endpoint that replies; `null` where a chatbot names it. */
  endpointId: string | null;
}

/**
 * An ordered log of messages in one or more chats. A `chatbot` session has one chat, whose id is the session's id. A
 * `comparison` session has one chat for each endpoint. In a `chatbot` session without a chatbot, an endpoint is asked as it is.
 */
export interface Session extends Handling {
  id: string;
  kind: "chatbot" | "comparison";
  title: string | null;
  description: string | null;
  status: SessionStatus;
  startTime: EpochMs;
  endTime: EpochMs | null;
  /** When a `SCHEDULED` session becomes `ACTIVE`. */
  dueAt: EpochMs | null;
  /** `null` for a session with an endpoint. Then `clientId` is too. */
  chatbotId: string | null;
  clientId: string | null;
  chats: Chat[];
  promptTemplate: string | null;
  contextStrategy: string | null;
  /** How many previous prompts the strategy adds; `null` for as many as it does by itself. */
  previousPrompts: number | null;
  /** Sent as the system message to each endpoint of a comparison session. */
  systemPrompt: string | null;
  /** The attack module that makes several prompts out of one, in a comparison session. */
  attackModule: string | null;
  /** The chat session that a comparison session was made from; `null` for none. */
  bridge: Bridge | null;
  /** JSON text of an object: free-form values have no type that crosses an RPC boundary. */
  metadata: string | null;
  feedback: Feedback | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  /** The `seq` of the newest message; 0 if there is none. */
  lastSeq: number;
  /** Number of changes to anything except the log. */
  metadataVersion: number;
  /** Number of messages that the Session API shows. */
  messageCount: number;
  /** The first part of the log, if it is in the archive. An object keeps what it read when it loaded the session. */
  archive: LogArchive | null;
  activePath: ActivePath;
  /** Turns that are no longer found by their ids; their messages stay. Absent in storage of earlier code. */
  hiddenTurns?: readonly string[] | null;
}

/** What a session has that is no comparison. */
export const NO_COMPARISON = {
  promptTemplate: null,
  contextStrategy: null,
  previousPrompts: null,
  systemPrompt: null,
  attackModule: null,
  bridge: null,
} as const;

/** The chats whose endpoints are asked: nobody is asked for recorded answers. */
export const askedChats = ({ chats }: Pick<Session, "chats">): Chat[] =>
  chats.filter(({ chatId }) => chatId !== RECORDED_CHAT);

/** The endpoint of a session that is with no chatbot; `null` for any other, and for a comparison. */
export const endpointOf = ({ kind, chatbotId, chats }: Pick<Session, "kind" | "chatbotId" | "chats">): string | null =>
  kind === "chatbot" && chatbotId === null ? (chats[0]?.endpointId ?? null) : null;

/** Increases with every change of a session or its log, so that an older copy never overwrites a newer one. */
export const revision = (session: Pick<Session, "lastSeq" | "metadataVersion">): number =>
  session.lastSeq + session.metadataVersion;

export const hasEnded = (session: Pick<Session, "status">): boolean =>
  session.status === "COMPLETED" || session.status === "TERMINATED";

/** Changes by a caller. An absent field stays as it is; `null` clears it. */
export interface SessionChanges {
  title?: string | null | undefined;
  status?: SessionStatus | undefined;
  startTime?: EpochMs | undefined;
  endTime?: EpochMs | undefined;
  feedback?: Feedback | null | undefined;
  metadata?: string | null | undefined;
  promptTemplate?: string | null | undefined;
  contextStrategy?: string | null | undefined;
  previousPrompts?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  attackModule?: string | null | undefined;
}

export type ChangeableField =
  | keyof SessionChanges
  | keyof Handling
  | "dueAt"
  | "activePath"
  | "messageCount"
  | "hiddenTurns";

const CHANGEABLE: Record<ChangeableField, true> = {
  title: true,
  status: true,
  startTime: true,
  endTime: true,
  dueAt: true,
  feedback: true,
  metadata: true,
  promptTemplate: true,
  contextStrategy: true,
  previousPrompts: true,
  systemPrompt: true,
  attackModule: true,
  handler: true,
  handlerSince: true,
  handover: true,
  activePath: true,
  messageCount: true,
  hiddenTurns: true,
};

/**
 * The fields that can change after creation, besides those that follow from the messages, `updatedAt` and
 * `metadataVersion`. The count of messages is among them because another active path has another one.
 */
export const CHANGEABLE_FIELDS = Object.keys(CHANGEABLE) as ChangeableField[];

export const changedFields = (before: Session, after: Session): ChangeableField[] =>
  CHANGEABLE_FIELDS.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));

/**
 * Applies changes to a session. Ending a session sets `endTime` unless the changes give one. A return to `ACTIVE`
 * clears it. An `endTime` alone is stored and does not end the session.
 *
 * @returns `invalid` if times contradict each other or the status
 */
export function amendSession(session: Session, changes: SessionChanges, at: EpochMs): Outcome<Session> {
  const defined = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  if (Object.keys(defined).length === 0) return success(session);
  const status = changes.status ?? session.status;
  const conflict = findContradiction(changes, status);
  if (conflict) return conflict;
  const startTime = startOf(session, changes, at);
  const endTime = endOf(session, changes, at);
  if (endTime !== null && endTime < startTime) return invalid(["endTime"], "must not be before startTime");
  const scheduled = status === "SCHEDULED" && startTime > at;
  // Nobody waits in a session that is not active, and nobody answers there.
  const { handler, handlerSince, handover } = status === "ACTIVE" ? session : handBack(session, null, at);
  const times = { status, startTime, endTime, dueAt: scheduled ? startTime : null };
  return success(changed(session, { ...defined, ...times, handler, handlerSince, handover }, at));
}

const changed = (session: Session, changes: object, at: EpochMs): Session => ({
  ...session,
  ...changes,
  updatedAt: at,
  metadataVersion: session.metadataVersion + 1,
});

/**
 * Changes who answers in an `ACTIVE` session.
 *
 * @param change one of the changes of `handover.ts`
 * @returns `session-not-active` for any other status
 */
export function changeHandler(
  session: Session,
  change: (handling: Handling, at: EpochMs) => Handling,
  at: EpochMs,
): Outcome<Session> {
  if (session.status !== "ACTIVE") return failed({ reason: "session-not-active" });
  const handling = change(session, at);
  return success(handling === session ? session : changed(session, handling, at));
}

/** A session has them in its row, which each of them makes longer. */
const MAX_HIDDEN_TURNS = 1_000;

export const isHidden = ({ hiddenTurns }: Session, turnId: string): boolean => hiddenTurns?.includes(turnId) === true;

/** Has a turn no longer be found by its id. @returns `too-many-hidden` */
export function hideTurn(session: Session, turnId: string, at: EpochMs): Outcome<Session> {
  if (isHidden(session, turnId)) return success(session);
  const hiddenTurns = [...(session.hiddenTurns ?? []), turnId];
  if (hiddenTurns.length > MAX_HIDDEN_TURNS) return failed({ reason: "too-many-hidden" });
  return success(changed(session, { hiddenTurns }, at));
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
  // A session that starts early has started now, not at its scheduled time.
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

/**
 * A `SCHEDULED` session whose start time has passed becomes `ACTIVE`. An `ACTIVE` one whose person has written nothing for too
 * long goes back to the bot. Any other session is returned as it is.
 */
export function applyDueChanges(session: Session, at: EpochMs): Session {
  if (session.status === "SCHEDULED" && session.dueAt !== null && session.dueAt <= at)
    return changed(session, { status: "ACTIVE", dueAt: null }, at);
  return handbackTimeOf(session) <= at ? changed(session, handBack(session, null, at), at) : session;
}

/** When the bot takes over again by itself; `Infinity` for never. Only a person who answers now is waited for. */
export const handbackTimeOf = ({ status, handler, handover }: Session): EpochMs =>
  status === "ACTIVE" && handler === "human" ? (handover?.handbackAt ?? Infinity) : Infinity;

/**
 * Ends an `ACTIVE` session as `COMPLETED`.
 *
 * @returns `session-not-active` for any other status
 */
export function endSession(session: Session, at: EpochMs): Outcome<Session> {
  if (session.status !== "ACTIVE") return failed({ reason: "session-not-active" });
  return amendSession(session, { status: "COMPLETED" }, at);
}
