/** Schemas of sessions, their messages and their statistics in answers. */
import * as z from "zod";
import { REPLY_ERROR_CODES } from "../../../core/failure.ts";
import { HANDLERS } from "../../../core/handover.ts";
import { FINISH_REASONS, REPLY_STATUSES, ROLES } from "../../../core/message.ts";
import { SESSION_STATUSES } from "../../../core/session.ts";
import { AuthorOutput, Distribution, idOutput, objectOutput, timeOutput } from "../../http/response-fields.ts";
import { Feedback } from "../feedback/response-schemas.ts";
import { Chatbot } from "../chatbots/response-schemas.ts";
import { Client } from "../clients/response-schemas.ts";
import { feedback } from "./schemas.ts";

const operator = z.object({ id: z.string(), name: z.string() });

export const Message = z
  .object({
    role: z.enum(ROLES),
    content: z.string(),
    timestamp: timeOutput,
    author: AuthorOutput.optional(),
    finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "On a reply that did not end normally" }),
  })
  .meta({ id: "Message" });

/** The answer to a prompt that waits for a person. */
export const StoredMessage = Message.pick({ content: true, timestamp: true }).extend({
  role: z.literal("user"),
  handler: z.literal("human"),
});

export const Handling = z.object({
  handler: z
    .enum(HANDLERS)
    .meta({ description: "Who answers: the bot, also while somebody waits for a person, or a person" }),
  handover: z
    .object({
      since: timeOutput.optional(),
      reason: z.string().optional(),
      operator: operator.optional(),
      note: z.string().optional(),
    })
    .optional()
    .meta({ description: "The last change between bot and person. Not for the role client" }),
});

const sessionFields = {
  endpointId: z.string().optional().meta({
    description: "Of a session with an endpoint, whose `chatbotId` and `clientId` are `null`. Absent otherwise",
  }),
  title: z.string().optional(),
  startTime: timeOutput,
  endTime: timeOutput.optional(),
  status: z.enum(SESSION_STATUSES),
  ...Handling.shape,
  messages: z.array(Message).meta({ description: "The newest 1,000, or 4 million characters of them" }),
  metadata: objectOutput.optional(),
  feedback: z.optional(feedback),
  createdAt: timeOutput,
  updatedAt: timeOutput,
};

/** What stands in an answer that shows a log in part. */
const truncated = z
  .literal(true)
  .optional()
  .meta({ description: "Earlier messages are left out: `GET /sessions/:id/messages` has all. Absent otherwise" });

const integer = z.number().int();

const Usage = z.object({
  inputTokens: integer,
  outputTokens: integer,
  cachedInputTokens: integer.optional().meta({ description: "Part of the input tokens, if known" }),
  reasoningTokens: integer.optional().meta({ description: "Part of the output tokens, if known" }),
});

/** What was not sent to the model, of a reply whose chatbot's `context` had no room for all. */
export const TrimmedContext = z
  .object({
    dropped: integer.meta({ description: "Messages of the conversation that were not sent as they are" }),
    kept: integer.meta({ description: "Messages that were sent, the new one included" }),
    estimatedTokens: integer.meta({ description: "Of all that was sent" }),
    summary: z.string().optional().meta({ description: "If this turn made one. Not for the role client" }),
    summaryError: z.enum(REPLY_ERROR_CODES).optional(),
  })
  .meta({ id: "TrimmedContext" });

/** A message with what is known of a reply. */
export const LoggedMessage = Message.extend({
  seq: integer,
  finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "On a reply" }),
  status: z.enum(REPLY_STATUSES).optional().meta({ description: "On a reply" }),
  model: z.string().optional().meta({ description: "The model that replied, if known. Not for the role client" }),
  usage: Usage.optional().meta({ description: "On a reply, if the provider counts tokens" }),
  durationMs: integer.optional().meta({ description: "On a reply: its whole time" }),
  ttftMs: integer.optional().meta({ description: "On a reply with text: the time to its first text" }),
  context: TrimmedContext.optional().meta({ description: "On a reply that did not get the whole conversation" }),
  feedback: Feedback.optional(),
}).meta({ id: "LoggedMessage" });

/** A message among all of its session, with `?tree=true`. */
export const TreeMessage = LoggedMessage.extend({
  parentSeq: integer.nullable().meta({ description: "The message that it follows; `null` for none" }),
  active: z.boolean().meta({ description: "Whether it is on the active path" }),
  variant: z
    .object({ index: integer, of: integer })
    .optional()
    .meta({ description: "Which of several messages that follow the same one, counted from 1" }),
}).meta({ id: "TreeMessage" });

export const ActivePath = z
  .object({ seqs: z.array(integer).meta({ description: "The messages of the active path, oldest first" }) })
  .meta({ id: "ActivePath" });

export const MessagesPage = z
  .object({
    messages: z.array(z.union([LoggedMessage, TreeMessage])),
    nextAfter: z
      .number()
      .int()
      .optional()
      .meta({ description: "`after` of the next page, if there is one. A page has at most 4 million characters" }),
  })
  .meta({ id: "MessagesPage" });

export const Statistics = z
  .object({
    sessionId: idOutput,
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
    summaries: z
      .object({
        count: integer,
        failed: integer.meta({ description: "Not made, or not for all that they should cover" }),
        usage: z.object({ inputTokens: integer, outputTokens: integer }),
        cost: z.number().optional(),
      })
      .optional()
      .meta({
        description:
          "The summaries that a chatbot's `context` needed. Their tokens and cost are in no other field. Not for the role client",
      }),
  })
  .meta({ id: "SessionStatistics", description: "Statistics of a chatbot session" });

export const Session = z
  .object({ id: idOutput, chatbotId: idOutput.nullable(), clientId: idOutput.nullable(), ...sessionFields, truncated })
  .meta({ id: "Session" });

const deletedRecord = z.object({ id: idOutput, name: z.string(), deleted: z.literal(true) });

const ChatbotForClients = z.object({ id: idOutput, name: z.string(), description: z.string().optional() });

export const PopulatedSession = z
  .object({
    id: idOutput,
    chatbotId: z.union([Chatbot, deletedRecord, ChatbotForClients]).nullable(),
    clientId: z.union([Client, deletedRecord]).nullable(),
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
