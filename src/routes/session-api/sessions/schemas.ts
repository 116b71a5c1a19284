/**
 * Schemas of the requests and responses of `/sessions`. Rules between fields, such as `endTime` after `startTime`, are
 * in `core/session.ts`.
 */
import * as z from "zod";
import { Content, FINISH_REASONS, REPLY_STATUSES, ROLES } from "../../../core/message.ts";
import { SESSION_STATUSES } from "../../../core/session.ts";
import { DAY_MS, isBareDate, parseTime } from "../../../core/time.ts";
import { Chatbot } from "../chatbots/schemas.ts";
import { Client } from "../clients/schemas.ts";
import {
  Distribution,
  objectOutput,
  timeOutput,
  jsonObject,
  objectId,
  pageQuery,
  searchString,
  time,
} from "../../http/fields.ts";

const title = z.string().max(200);
const status = z.enum(SESSION_STATUSES);
const feedback = z.strictObject({
  rating: z.number().min(1).max(5).optional(),
  comment: z.string().max(10_000).optional(),
});

export const CreateSession = z.strictObject({
  chatbotId: objectId,
  clientId: objectId.optional().meta({ description: "Required, except from the client itself" }),
  title: title.optional(),
  metadata: jsonObject.optional(),
  startTime: time.optional(),
});

export const UpdateSession = z.strictObject({
  title: title.optional(),
  status: status.optional(),
  startTime: time.optional(),
  endTime: time.optional(),
  feedback: feedback.nullable().optional(),
  metadata: jsonObject.nullable().optional(),
});

export const AddMessage = z.strictObject({
  message: z.strictObject({ role: z.enum(ROLES), content: Content, timestamp: time.optional() }),
});

export const Chat = z.strictObject({ content: Content });

export const SessionQuery = z.strictObject({ sessionId: objectId });

/** A day or a time, as its first millisecond and the first millisecond after it. */
const timeRange = z
  .string()
  .meta({ format: "date-time" })
  .transform((text, context) => {
    const from = parseTime(text);
    if (from !== null) return { from, before: from + (isBareDate(text) ? DAY_MS : 1) };
    context.addIssue({ code: "custom", message: "must be an ISO 8601 date or time" });
    return z.NEVER;
  });

export const ListSessions = z.strictObject({
  searchString,
  status: status.optional(),
  chatbotId: objectId.optional(),
  clientId: objectId.optional(),
  startDate: timeRange.optional(),
  endDate: timeRange.optional(),
  ...pageQuery,
});

export const Message = z
  .object({
    role: z.enum(ROLES),
    content: z.string(),
    timestamp: timeOutput,
    finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "On a reply that did not end normally" }),
  })
  .meta({ id: "Message" });

const sessionFields = {
  title: z.string().optional(),
  startTime: timeOutput,
  endTime: timeOutput.optional(),
  status,
  messages: z.array(Message).meta({ description: "The newest 1,000, or 4 million characters of them" }),
  metadata: objectOutput.optional(),
  feedback: feedback.optional(),
  createdAt: timeOutput,
  updatedAt: timeOutput,
};

/** What stands in an answer that shows a log in part. */
const truncated = z
  .literal(true)
  .optional()
  .meta({ description: "Earlier messages are left out: `GET /sessions/:id/messages` has all. Absent otherwise" });

export const MessagesQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const integer = z.number().int();

const Usage = z.object({
  inputTokens: integer,
  outputTokens: integer,
  cachedInputTokens: integer.optional().meta({ description: "Part of the input tokens, if known" }),
  reasoningTokens: integer.optional().meta({ description: "Part of the output tokens, if known" }),
});

/** A message with what is known of a reply. */
export const LoggedMessage = Message.extend({
  seq: integer,
  finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "On a reply" }),
  status: z.enum(REPLY_STATUSES).optional().meta({ description: "On a reply" }),
  model: z.string().optional().meta({ description: "The model that replied, if known. Not for the role client" }),
  usage: Usage.optional().meta({ description: "On a reply, if the provider counts tokens" }),
  durationMs: integer.optional().meta({ description: "On a reply: its whole time" }),
  ttftMs: integer.optional().meta({ description: "On a reply with text: the time to its first text" }),
}).meta({ id: "LoggedMessage" });

export const MessagesPage = z
  .object({
    messages: z.array(LoggedMessage),
    nextAfter: z
      .number()
      .int()
      .optional()
      .meta({ description: "`after` of the next page, if there is one. A page has at most 4 million characters" }),
  })
  .meta({ id: "MessagesPage" });

export const Statistics = z
  .object({
    sessionId: objectId,
    count: integer.meta({ description: "Replies" }),
    ok: integer,
    cancelled: integer,
    errors: z
      .record(z.string(), integer)
      .meta({ description: "How often each error occurred, cancelled replies not included" }),
    finishReasons: z.record(z.string(), integer),
    durationMs: Distribution.optional(),
    ttftMs: Distribution.optional(),
    usage: z.object({ inputTokens: integer, outputTokens: integer }),
    attempts: integer.optional().meta({ description: "Not for the role client" }),
    cost: z
      .number()
      .optional()
      .meta({ description: "The cost of the replies whose usage and prices are known. Not for the role client" }),
    priced: integer.optional().meta({ description: "How many replies the cost includes. Not for the role client" }),
  })
  .meta({ id: "SessionStatistics", description: "Statistics of a chatbot session" });

export const Session = z
  .object({ id: objectId, chatbotId: objectId, clientId: objectId, ...sessionFields, truncated })
  .meta({ id: "Session" });

const deletedRecord = z.object({ id: objectId, name: z.string(), deleted: z.literal(true) });

const ChatbotForClients = z.object({ id: objectId, name: z.string(), description: z.string().optional() });

export const PopulatedSession = z
  .object({
    id: objectId,
    chatbotId: z.union([Chatbot, deletedRecord, ChatbotForClients]),
    clientId: z.union([Client, deletedRecord]),
    ...sessionFields,
    truncated,
  })
  .meta({ id: "PopulatedSession" });

export const ListedSession = PopulatedSession.omit({ truncated: true })
  .extend({
    messages: z.array(Message).meta({ description: "At most the newest 100. A list has at most 2 million characters" }),
    messageCount: z.number().int(),
  })
  .meta({ id: "ListedSession" });
