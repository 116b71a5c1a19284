/**
 * The schema of a chat record, with the receipt of its call. Responses with a session, a history or an export contain
 * records. How a record is made from messages does not belong here: that is `records.ts`.
 */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { REPLY_ERROR_CODES } from "../../../core/failure.ts";
import { FINISH_REASONS } from "../../../core/message.ts";
import { objectOutput } from "../../http/response-fields.ts";
import { Prices } from "../response-schemas.ts";

export const Usage = z.object({ input_tokens: z.number().int(), output_tokens: z.number().int() });

const finishReasonRaw = z
  .string()
  .nullable()
  .meta({ description: "The provider's own finish reason; null when it sent none" });

const tokenDetails = {
  cached_input_tokens: z.number().int().nullable().meta({ description: "Part of the input tokens; null when unknown" }),
  reasoning_tokens: z.number().int().nullable().meta({ description: "Part of the output tokens; null when unknown" }),
};

const ReplyError = z.object({ code: z.enum(REPLY_ERROR_CODES), message: z.string() });

export const Receipt = z
  .object({
    connector_type: z.enum(CONNECTOR_TYPES),
    url: z.string().nullable().meta({ description: "The URL of the call, without secrets" }),
    model_asked: z.string(),
    model_answered: z.string().nullable(),
    params: objectOutput,
    body: z.string().nullable().meta({ description: "The exact body that was sent, with secrets masked" }),
    body_sha256: z
      .string()
      .nullable()
      .meta({ description: "SHA-256 of the exact bytes that were sent, in lower-case hex" }),
    provider_request_id: z.string().nullable(),
    attempts: z.array(
      z.object({
        error: ReplyError.nullable(),
        duration_ms: z.number().int(),
        provider_request_id: z.string().nullable(),
      }),
    ),
    queue_ms: z.number().int().nullable(),
    ttft_ms: z.number().int().nullable(),
    duration_ms: z.number().int().nullable(),
    finish_reason_raw: finishReasonRaw,
    notes: z.array(z.string()).meta({ description: "What was unusual about the answer" }),
    usage: Usage.nullable(),
    ...tokenDetails,
    prices: Prices.nullable().meta({ description: "The prices at the time of the prompt" }),
    cost: z.number().nullable().meta({ description: "Usage at those prices; null when one of them is unknown" }),
  })
  .meta({ id: "Receipt", description: "Everything needed to cite an answer: what exactly was sent, where and how" });

export const ChatRecord = z
  .object({
    chat_record_id: z.number().int(),
    conn_id: z.string(),
    context_strategy: z.string(),
    prompt_template: z.string(),
    prompt: z.string(),
    prepared_prompt: z.string(),
    predicted_result: z
      .string()
      .nullable()
      .meta({ description: "null only in the chat `recorded`, if there was no answer or it failed" }),
    duration: z.string().meta({ description: "Such as `1.04 secs`; empty when unknown: the reply was interrupted" }),
    prompt_time: z.string(),
    status: z.enum(["ok", "error", "cancelled"]),
    error: ReplyError.nullable(),
    partial_result: z.string().nullable(),
    finish_reason: z.enum(FINISH_REASONS),
    finish_reason_raw: finishReasonRaw,
    model: z.string().nullable(),
    system_prompt: z.string().nullable().meta({ description: "The session's system prompt at that time" }),
    usage: Usage.nullable(),
    ...tokenDetails,
    duration_ms: z.number().int().nullable().meta({ description: "null when unknown: the reply was interrupted" }),
    ttft_ms: z.number().int().nullable(),
    queue_ms: z
      .number()
      .int()
      .nullable()
      .meta({ description: "Time spent waiting for the endpoint's limits. The other times do not include it" }),
    attempts: z.number().int().meta({ description: "Calls of the provider; 1 if the reply was interrupted" }),
    provider_request_id: z.string().nullable(),
    receipt: Receipt.nullable()
      .optional()
      .meta({ description: "Only with include=receipt; null when the record has none" }),
  })
  .meta({ id: "ChatRecord", description: "A prompt to one endpoint, and its reply" });

export const History = z
  .record(z.string(), z.array(ChatRecord))
  .meta({ id: "ChatHistory", description: "The records of every chat, oldest first, by chat id" });

/** What stands in an answer that shows a log in part. */
export const truncated = z
  .literal(true)
  .optional()
  .meta({
    // Orval writes a `const` beside further names as code that does not compile.
    const: undefined,
    enum: [true],
    description: "Earlier records are left out, in every chat the same prompts: an export has all. Absent otherwise",
  });

export const PromptResponse = z
  .object({ truncated })
  .catchall(z.array(ChatRecord))
  .meta({ id: "PromptResponse", description: "The records of every chat, oldest first, by chat id" });
