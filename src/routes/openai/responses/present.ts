/** The JSON of responses. No effects. https://platform.openai.com/docs/api-reference/responses/object */
import type * as z from "zod";
import type { Caller } from "../../../core/caller.ts";
import type { Usage } from "../../../core/message.ts";
import type { ReplyEnd, ReplyFailure } from "../../../core/reply.ts";
import { timeOfObjectId } from "../../../core/id.ts";
import type { EpochMs } from "../../../core/time.ts";
import type { OpenaiResponse, ResponseUsage } from "../response-schemas.ts";
import type { CreateResponse } from "./schemas.ts";

export type ResponseObject = z.output<typeof OpenaiResponse>;
type Output = ResponseObject["output"][number];
type Input = z.output<typeof CreateResponse>;

/** What a response has from its beginning. */
export type ResponseHead = Omit<ResponseObject, "status" | "error" | "incomplete_details" | "output" | "usage">;

/** How a reply has ended, for its response. */
export type ResponseOutcome = Pick<ReplyEnd, "finishReason" | "usage"> | ReplyFailure;

/** Where a response is stored. Its id names both. */
export interface StoredTurn {
  sessionId: string;
  turnId: string;
}

/** What is asked for, as far as its response shows it. */
type Asked = Pick<Input, "model"> & Partial<Input>;

/** The fields of a call that its response repeats. */
const REPEATED = [
  "instructions",
  "metadata",
  "previous_response_id",
  "max_output_tokens",
  "temperature",
  "top_p",
] as const;

type RepeatedFields = Partial<Pick<Input, (typeof REPEATED)[number]>>;

/** The fields that the reply of a stored response keeps, as JSON text; `undefined` for none. */
export function requestFieldsOf(input: Input): string | undefined {
  const given = REPEATED.filter((name) => input[name] != null).map((name) => [name, input[name]]);
  return given.length === 0 ? undefined : JSON.stringify(Object.fromEntries(given));
}

/** What a reader may know of the call: a client sees neither instructions nor params, as it sees none of its chatbot. */
export function readRequestFields(text: string | undefined, { role }: Caller): RepeatedFields {
  if (!text) return {};
  const fields = JSON.parse(text) as RepeatedFields;
  const { metadata, previous_response_id } = fields;
  return role === "client" ? { metadata, previous_response_id } : fields;
}

/** The response of a turn. */
export const storedHead = ({ sessionId, turnId }: StoredTurn, asked: Asked): ResponseHead => ({
  ...newResponseHead(sessionId + turnId, { ...asked, store: true }, timeOfObjectId(turnId)),
  previous_response_id: asked.previous_response_id ?? null,
  conversation: { id: sessionId },
});

/** @returns `null` for an id that is none of a stored response */
export function storedTurnOf(responseId: string): StoredTurn | null {
  const [, sessionId, turnId] = /^resp_([0-9a-f]{24})([0-9a-f]{24})$/.exec(responseId) ?? [];
  return sessionId !== undefined && turnId !== undefined ? { sessionId, turnId } : null;
}

/** @param id what the ids of the response and of its message have in common */
export const newResponseHead = (id: string, asked: Asked, at: EpochMs): ResponseHead => ({
  id: `resp_${id}`,
  object: "response",
  created_at: Math.floor(at / 1000),
  model: asked.model,
  instructions: asked.instructions ?? null,
  metadata: asked.metadata ?? {},
  previous_response_id: null,
  max_output_tokens: asked.max_output_tokens ?? null,
  temperature: asked.temperature ?? null,
  top_p: asked.top_p ?? null,
  store: asked.store ?? true,
  parallel_tool_calls: false,
  tool_choice: "none",
  tools: [],
  text: { format: { type: "text" } },
  truncation: "disabled",
});

const messageIdOf = ({ id }: ResponseHead): string => id.replace("resp_", "msg_");

/** A response without text, while its reply is awaited. */
export const responseInProgress = (head: ResponseHead): ResponseObject => ({
  ...head,
  status: "in_progress",
  error: null,
  incomplete_details: null,
  output: [],
});

/** A response whose reply has ended. */
export function finishedResponse(head: ResponseHead, text: string, outcome: ResponseOutcome): ResponseObject {
  const status = statusOf(outcome);
  const output = text === "" && status === "failed" ? [] : [outputMessage(head, text, messageStatusOf(status))];
  const usage = "usage" in outcome ? outcome.usage : null;
  return {
    ...head,
    status,
    error: status === "failed" && "message" in outcome ? errorOf(outcome) : null,
    incomplete_details: incompleteDetailsOf(outcome),
    output,
    ...(usage ? { usage: presentUsage(usage) } : {}),
  };
}

export const outputMessage = (head: ResponseHead, text: string, status: Output["status"]): Output => ({
  id: messageIdOf(head),
  type: "message",
  role: "assistant",
  status,
  content: status === "in_progress" ? [] : [outputText(text)],
});

export const outputText = (text: string): Output["content"][number] => ({
  type: "output_text",
  text,
  annotations: [],
  logprobs: [],
});

export const messageStatusOf = (status: ResponseObject["status"]): Output["status"] =>
  status === "completed" ? "completed" : "incomplete";

function statusOf(outcome: ResponseOutcome): ResponseObject["status"] {
  if ("code" in outcome) return outcome.code === "cancelled" ? "cancelled" : "failed";
  if (outcome.finishReason === "cancelled") return "cancelled";
  return incompleteDetailsOf(outcome) ? "incomplete" : "completed";
}

function incompleteDetailsOf(outcome: ResponseOutcome): ResponseObject["incomplete_details"] {
  if ("code" in outcome) return null;
  if (outcome.finishReason === "length") return { reason: "max_output_tokens" };
  return outcome.finishReason === "content_filter" ? { reason: "content_filter" } : null;
}

/** OpenAI's clients know few codes here. */
function errorOf({ code, message }: ReplyFailure): NonNullable<ResponseObject["error"]> {
  if (code === "provider_rejected") return { code: "invalid_prompt", message };
  return { code: code === "rate_limited" ? "rate_limit_exceeded" : "server_error", message };
}

const presentUsage = (usage: Usage): z.output<typeof ResponseUsage> => ({
  input_tokens: usage.inputTokens,
  // OpenAI's type requires a number here, and providers' reports of it are not kept.
  input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0, cache_write_tokens: 0 },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  total_tokens: usage.inputTokens + usage.outputTokens,
});
