import type * as z from "zod";
import type { Endpoint } from "../../core/endpoint.ts";
import { secretNamedBy } from "../../core/endpoint.ts";
import type { Message, ReplyDetail } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { zonedPromptTime, zonedStamp } from "../../core/time.ts";
import type * as schemas from "./schemas.ts";

/** What stands for a token that is set. */
export const TOKEN_MASK = "********";

type Record_ = z.output<typeof schemas.ChatRecord>;

/** A session in Moonshot's keys, in their order. `created_epoch` is in seconds. */
export function presentSession(session: Session, zone: string, history: z.output<typeof schemas.History> | null) {
  return {
    session_id: session.id,
    name: session.title ?? "",
    description: session.description ?? "",
    created_epoch: session.createdAt / 1000,
    created_datetime: zonedStamp(session.createdAt, zone),
    chat_ids: session.chats.map(({ chatId }) => chatId),
    endpoints: session.chats.map(({ endpointId }) => endpointId ?? ""),
    prompt_template: session.promptTemplate,
    context_strategy: session.contextStrategy,
    filename: null,
    chat_history: history,
  } satisfies z.output<typeof schemas.Session>;
}

/** The records of every chat, read off the log: one for each reply. */
export function presentHistory(session: Session, log: Message[], zone: string): z.output<typeof schemas.History> {
  const prompts = new Map(log.flatMap((message) => (message.role === "user" ? [[message.turnId, message]] : [])));
  const history: Record<string, Record_[]> = Object.fromEntries(session.chats.map(({ chatId }) => [chatId, []]));
  for (const message of log) {
    const records = history[message.chatId ?? ""];
    const prompt = prompts.get(message.turnId);
    if (records && message.reply && prompt) {
      records.push(presentRecord(message.reply, message, prompt, records.length + 1, zone));
    }
  }
  return history;
}

function presentRecord(
  reply: ReplyDetail,
  { content }: Message,
  prompt: Message,
  number: number,
  zone: string,
): Record_ {
  return {
    chat_record_id: number,
    conn_id: reply.endpointId ?? "",
    context_strategy: reply.contextStrategy ?? "",
    prompt_template: reply.promptTemplate ?? "",
    prompt: prompt.content,
    prepared_prompt: reply.preparedPrompt,
    predicted_result: reply.error === null ? content : `[${reply.error.code}] ${reply.error.message}`,
    duration: `${(reply.durationMs / 1000).toFixed(2)} secs`,
    prompt_time: zonedPromptTime(prompt.createdAt, zone),
    status: reply.status,
    error: reply.error,
    partial_result: reply.error === null || content === "" ? null : content,
    finish_reason: reply.finishReason,
    model: reply.model,
    usage: reply.usage && { input_tokens: reply.usage.inputTokens, output_tokens: reply.usage.outputTokens },
    duration_ms: reply.durationMs,
    ttft_ms: reply.ttftMs,
    attempts: reply.attempts,
    provider_request_id: reply.providerRequestId,
  };
}

export const presentEndpoint = (endpoint: Endpoint): z.output<typeof schemas.Endpoint> => ({
  id: endpoint.id,
  name: endpoint.name,
  connector_type: endpoint.connectorType,
  uri: endpoint.uri,
  token: shownToken(endpoint.token),
  model: endpoint.model,
  max_calls_per_second: endpoint.maxCallsPerSecond,
  max_concurrency: endpoint.maxConcurrency,
  params: JSON.parse(endpoint.params) as Record<string, unknown>,
});

function shownToken(token: string): string {
  if (token === "") return "";
  return secretNamedBy(token) === null ? TOKEN_MASK : token;
}
