/**
 * Makes Moonshot's chat records from the messages of a log: one for each reply. Which messages to read does not belong
 * here. Effects: reads a long log while its records are sent.
 */
import type * as z from "zod";
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import { costOfReply, queueMsOf } from "../../../core/message.ts";
import type { Message, Receipt, ReplyDetail, Usage } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import { zonedPromptTime } from "../../../core/time.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import type { Streamed } from "../../http/json-stream.ts";
import { predictedResult, readRecordSources, recordSources } from "../../moonshot-shared/sessions/record-sources.ts";
import type { RecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import { presentPrices } from "../present.ts";
import type * as schemas from "./record-schemas.ts";

export type ChatRecord = z.output<typeof schemas.ChatRecord>;

/** The optional part of a record. */
export type Include = "receipt" | undefined;

/** The records in some messages of a log, by chat. */
export function presentHistory(
  session: Session,
  log: Message[],
  zone: string,
  include?: Include,
): z.output<typeof schemas.History> {
  const history: Record<string, ChatRecord[]> = Object.fromEntries(session.chats.map(({ chatId }) => [chatId, []]));
  for (const source of recordSources(log)) history[source.chatId]?.push(presentRecord(source, zone, include));
  return history;
}

/** The records of an open log, by chat: each chat is read from the log when its turn comes. */
export const streamHistory = (log: OpenLog, zone: string, include?: Include): Record<string, Streamed<ChatRecord>> =>
  Object.fromEntries(log.session.chats.map(({ chatId }) => [chatId, recordsOf(log, chatId, zone, include)]));

async function* recordsOf(log: OpenLog, chatId: string, zone: string, include: Include): AsyncGenerator<ChatRecord> {
  for await (const source of readRecordSources(log, chatId)) yield presentRecord(source, zone, include);
}

/** @param zone the IANA zone of `prompt_time` */
export function presentRecord(source: RecordSource, zone: string, include: Include) {
  const { reply, content, prompt, number } = source;
  return {
    chat_record_id: number,
    conn_id: reply.endpointId ?? "",
    context_strategy: reply.contextStrategy ?? "",
    prompt_template: reply.promptTemplate ?? "",
    prompt: prompt.content,
    prepared_prompt: reply.preparedPrompt,
    predicted_result: resultOf(source),
    duration: reply.durationMs === null ? "" : `${(reply.durationMs / 1000).toFixed(2)} secs`,
    prompt_time: zonedPromptTime(prompt.createdAt, zone),
    status: reply.status,
    error: reply.error,
    partial_result: reply.error === null || content === "" ? null : content,
    finish_reason: reply.finishReason,
    finish_reason_raw: reply.finishReasonRaw ?? null,
    model: reply.model,
    system_prompt: reply.systemPrompt ?? null,
    ...presentTokens(reply.usage),
    duration_ms: reply.durationMs,
    ttft_ms: reply.ttftMs,
    queue_ms: queueMsOf(reply),
    attempts: reply.attempts,
    provider_request_id: reply.providerRequestId,
    ...(include === "receipt" ? { receipt: receiptOf(reply) } : {}),
  } satisfies ChatRecord;
}

/** `null` where the conversation was recorded without an answer. */
const resultOf = ({ chatId, reply, content }: RecordSource): string | null =>
  chatId === RECORDED_CHAT && content === "" ? null : predictedResult(reply, content);

const receiptOf = (reply: ReplyDetail) => (reply.receipt ? presentReceipt(reply, reply.receipt) : null);

const presentTokens = (usage: Usage | null) => ({
  usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
  cached_input_tokens: usage?.cachedInputTokens ?? null,
  reasoning_tokens: usage?.reasoningTokens ?? null,
});

const presentReceipt = (reply: ReplyDetail, receipt: Receipt): z.output<typeof schemas.Receipt> => ({
  connector_type: receipt.connectorType,
  url: receipt.url,
  model_asked: receipt.modelAsked,
  model_answered: reply.model,
  params: JSON.parse(receipt.params) as Record<string, unknown>,
  body: receipt.body,
  body_sha256: receipt.bodySha256,
  provider_request_id: reply.providerRequestId,
  attempts: receipt.attempts.map(({ error, durationMs, providerRequestId }) => ({
    error,
    duration_ms: durationMs,
    provider_request_id: providerRequestId,
  })),
  queue_ms: queueMsOf(reply),
  ttft_ms: reply.ttftMs,
  duration_ms: reply.durationMs,
  finish_reason_raw: reply.finishReasonRaw ?? null,
  notes: receipt.notes ?? [],
  ...presentTokens(reply.usage),
  prices: presentPrices(receipt.prices),
  cost: costOfReply(reply),
});
