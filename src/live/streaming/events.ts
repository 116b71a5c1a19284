/**
 * The events of a session: as the room emits them, as subscribers get them, and as text of an event stream. Emitted
 * events contain the session itself. A dialect presents it when the event is sent.
 *
 * Sending does not belong here: that is `event-stream.ts` and `sockets.ts`. Pure.
 */
import type * as z from "zod";
import { authorFor, canSee, replyErrorFor } from "../../core/caller.ts";
import type { CallerRole } from "../../core/caller.ts";
import { RECORDED_CHAT } from "../../core/bridge.ts";
import type { Message, SentContext } from "../../core/message.ts";
import { shownParentOf } from "../../core/message-tree.ts";
import type { Session } from "../../core/session.ts";
import { isoTime } from "../../core/time.ts";
import type { RunningTurnFields, StreamEvent } from "./event-schemas.ts";

export type { StreamEvent } from "./event-schemas.ts";

/** An event as the session's room emits it. */
export type SessionEvent =
  | Exclude<StreamEvent, { session: unknown }>
  | { type: "session-snapshot"; session: Session; lastSeq: number; turn: z.output<typeof RunningTurnFields> | null }
  | { type: "session-updated"; session: Session };

/** Presents a session, without its messages, in the form of its dialect. */
export type PresentSession = (session: Session) => Record<string, unknown>;

/** Presents an event in the form that subscribers get. */
export const presentEvent = (event: SessionEvent, present: PresentSession): StreamEvent =>
  event.type === "session-snapshot" || event.type === "session-updated"
    ? { ...event, session: present(event.session) }
    : event;

/**
 * An event as a caller of a role gets it. A client gets no system messages, of a failed reply our own words only, and of an
 * adopted answer not where it is from.
 *
 * @returns the same object if nothing is hidden, so that it is made into text only once; `null` if all of it is
 */
export function eventFor(role: CallerRole | null, event: SessionEvent): SessionEvent | null {
  if (event.type === "message-appended") return messageFor(role, event);
  if (event.type !== "reply-end" || !event.error) return event;
  const error = replyErrorFor(role, event.error);
  return error === event.error ? event : { ...event, error };
}

function messageFor(
  role: CallerRole | null,
  event: Extract<SessionEvent, { type: "message-appended" }>,
): SessionEvent | null {
  if (!canSee({ role }, event.role)) return null;
  return role === "client" && event.author?.kind === "adopted" ? { ...event, author: { kind: "adopted" } } : event;
}

/** Whether an event has text of a reply, or says how it ends. */
export const isOfReply = (event: SessionEvent): boolean =>
  event.type === "reply-delta" ||
  event.type === "reply-end" ||
  event.type === "turn-ended" ||
  (event.type === "message-appended" && event.status !== undefined);

/**
 * Why a connection is closed. Codes from 4000 are for applications: RFC 6455, 7.4. 1013 is "try again later":
 * https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
 */
export const CLOSE_REASONS = {
  ended: { code: 1000, reason: "session ended" },
  unread: { code: 1013, reason: "too much unread: reconnect with after" },
  unreadable: { code: 1011, reason: "the log could not be read" },
  tooLarge: { code: 1009, reason: "frame over 1 MiB" },
  notFrames: { code: 4400, reason: "not a frame" },
  expired: { code: 4401, reason: "token expired" },
  revoked: { code: 4401, reason: "token revoked" },
  deleted: { code: 4404, reason: "session deleted" },
  tooMany: { code: 4429, reason: "more than 100 frames in 10 s" },
} as const;
export type CloseReason = (typeof CLOSE_REASONS)[keyof typeof CLOSE_REASONS];

/** The event of a message of the log. The messages of a comparison session are no tree. */
export function messageAppended(message: Message, kind: Session["kind"]): SessionEvent {
  const { seq, chatId, turnId, role, content, createdAt, author, reply } = message;
  return {
    type: "message-appended",
    seq,
    chatId,
    ...(turnId === null ? {} : { turnId }),
    ...(kind === "chatbot" ? { parentSeq: shownParentOf(message) } : {}),
    role,
    content,
    timestamp: isoTime(createdAt),
    ...(author ? { author: authorFor(null, author) } : {}),
    ...(reply && {
      status: reply.status,
      finishReason: reply.finishReason,
      usage: reply.usage && { inputTokens: reply.usage.inputTokens, outputTokens: reply.usage.outputTokens },
      ...(reply.durationMs === null ? {} : { durationMs: reply.durationMs }),
      ttftMs: reply.ttftMs,
    }),
  };
}

/** @param seqs the messages of the active path @param turnId the turn whose message changed it */
export const pathChanged = (seqs: number[], turnId: string | null = null): SessionEvent => ({
  type: "path-changed",
  seqs,
  ...(turnId === null ? {} : { turnId }),
});

/** The event that follows the `message-appended` of a reply. */
export const replyEnd = (turnId: string, { chatId, reply }: Message): SessionEvent => ({
  type: "reply-end",
  turnId,
  chatId: chatId ?? "",
  status: reply?.status ?? "ok",
  ...(reply?.error ? { error: reply.error } : {}),
});

/**
 * The event of a call that does not send all messages of its conversation; `null` if `context` is not the reason. In a
 * comparison it says whose.
 */
export const contextTrimmed = (
  { turnId, chatId, kind }: { turnId: string; chatId: string; kind: Session["kind"] },
  { isTrimmed, dropped, kept, estimatedTokens, summary }: SentContext,
): SessionEvent | null =>
  isTrimmed
    ? {
        type: "context-trimmed",
        turnId,
        ...(kind === "comparison" ? { chatId } : {}),
        dropped,
        kept,
        estimatedTokens,
        ...(summary?.error ? { summaryError: summary.error.code } : {}),
      }
    : null;

/**
 * The text of an event in an event stream. Only messages have an `id:`, which is their `seq`: readers resume after it.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const serverSentEvent = (event: StreamEvent): string =>
  `${event.type === "message-appended" ? `id: ${event.seq}\n` : ""}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The events of an appended message. @param path the messages of the active path, if that is not simply longer now */
export function eventsOf(message: Message, kind: Session["kind"], path: number[] | null): SessionEvent[] {
  const { turnId, reply } = message;
  const events = [messageAppended(message, kind)];
  if (path) events.push(pathChanged(path, turnId));
  // Nobody is asked for a recorded answer, so no reply of it runs.
  if (reply && turnId !== null && message.chatId !== RECORDED_CHAT) events.push(replyEnd(turnId, message));
  return events;
}
