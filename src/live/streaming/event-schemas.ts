/**
 * Schemas of the events that a session sends to its subscribers, as server-sent events and over sockets. They are for the
 * OpenAPI document, and give the code its types; nothing in the Worker validates an event.
 */
import * as z from "zod";
import { REPLY_ERROR_CODES } from "../../core/failure.ts";
import { FINISH_REASONS, REPLY_STATUSES, ROLES } from "../../core/message.ts";
import { TURN_STATUSES } from "../../core/turn.ts";

const count = z.number().int();
/** The turn under way. */
export const RunningTurnFields = z.object({ turnId: z.string(), chatIds: z.array(z.string()) });
/** A session in the form of its dialect. */
const SessionOutput = z.record(z.string(), z.unknown());
const chatFields = { turnId: z.string(), chatId: z.string() };

const SessionSnapshot = z.object({
  type: z.literal("session-snapshot"),
  session: SessionOutput,
  lastSeq: count,
  turn: RunningTurnFields.nullable(),
});

/** Of a message for the chatbot's side that its own endpoint did not give. */
const ShownAuthor = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("human"), id: z.string(), name: z.string() }),
  z.object({ kind: z.literal("adopted"), endpoint: z.string().optional(), sessionId: z.string().optional() }),
]);

const MessageAppended = z.object({
  type: z.literal("message-appended"),
  seq: count,
  chatId: z.string().nullable(),
  turnId: z.string().optional(),
  parentSeq: count.nullable().optional(),
  role: z.enum(ROLES),
  content: z.string(),
  timestamp: z.string().meta({ format: "date-time" }),
  author: ShownAuthor.optional(),
  status: z.enum(REPLY_STATUSES).optional(),
  finishReason: z.enum(FINISH_REASONS).optional(),
  usage: z.object({ inputTokens: count, outputTokens: count }).nullable().optional(),
  durationMs: count.optional(),
  ttftMs: count.nullable().optional(),
});

const ContextTrimmed = z.object({
  type: z.literal("context-trimmed"),
  turnId: z.string(),
  chatId: z.string().optional().meta({ description: "Only in a comparison session: the chat of the chatbot" }),
  dropped: count.meta({ description: "Messages of the conversation that are not sent as they are" }),
  kept: count.meta({ description: "Messages that are sent, the new one included" }),
  estimatedTokens: count.meta({ description: "Of all that is sent" }),
  summaryError: z
    .enum(REPLY_ERROR_CODES)
    .optional()
    .meta({ description: "Why the dropped messages, or some of them, could not be summarised now" }),
});

/** The active path of a session is not simply longer. Inside a turn, a reply or an edit did it. */
const PathChanged = z.object({
  type: z.literal("path-changed"),
  seqs: z.array(count),
  turnId: z.string().optional(),
});

const ReplyEnd = z.object({
  type: z.literal("reply-end"),
  ...chatFields,
  status: z.enum(REPLY_STATUSES),
  error: z.object({ code: z.enum(REPLY_ERROR_CODES), message: z.string() }).optional(),
});

const TurnEnded = z.object({
  type: z.literal("turn-ended"),
  turnId: z.string(),
  status: z.enum(TURN_STATUSES),
  retryAfterSeconds: count
    .optional()
    .meta({ description: "The longest time for which a provider of the turn asks callers to wait" }),
});

/** All events that a session sends to its subscribers, as server-sent events and over sockets. */
export const StreamEvent = z
  .discriminatedUnion("type", [
    SessionSnapshot,
    MessageAppended,
    PathChanged,
    z.object({ type: z.literal("turn-started"), ...RunningTurnFields.shape }),
    ContextTrimmed,
    z.object({ type: z.literal("reply-start"), ...chatFields }),
    z.object({ type: z.literal("reply-delta"), ...chatFields, offset: count, text: z.string() }),
    ReplyEnd,
    TurnEnded,
    z.object({
      type: z.literal("replay-progress"),
      turn: count.meta({ description: "The turn of the recorded conversation that has ended" }),
      of: count,
    }),
    z.object({ type: z.literal("session-updated"), session: SessionOutput }),
    z.object({
      type: z.literal("ack"),
      id: z.string(),
      seq: count.optional(),
      turnId: z.string().nullable().optional(),
    }),
    z.object({ type: z.literal("failure"), id: z.string().nullable(), code: z.string(), message: z.string() }),
    z.object({ type: z.literal("stream-closed"), code: count, reason: z.string() }),
  ])
  .meta({ id: "StreamEvent", description: "An event from a session to its subscribers" });
export type StreamEvent = z.output<typeof StreamEvent>;
