/**
 * Examples for the OpenAPI document of `/v1/sessions`: bodies, and answers to them. The numbers are those of Moonshot's
 * own document where it has any. A test holds each example against its schema.
 */
import type { EventStream, SocketFrames } from "../../openapi/operations.ts";

const chats = ["openaigpt35turbotest1_20240315_043147", "openaigpt4test1_20240315_043147"] as const;

export const createBody = {
  name: "TestSession1",
  description: "Test 1",
  endpoints: ["openaigpt35turbotest1", "openaigpt4test1"],
};

const session = {
  session_id: "testsession1_20240315-043147",
  name: "TestSession1",
  description: "Test 1",
  created_epoch: 1710448307.051328,
  created_datetime: "20240315-043147",
  chat_ids: chats,
  endpoints: createBody.endpoints,
  prompt_template: null,
  context_strategy: null,
  filename: null,
  chat_history: null,
  system_prompt: null,
};

export const sessionResponse = { session };
export const listResponse = [session];
export const historyResponse = { session: { ...session, chat_history: { [chats[0]]: [], [chats[1]]: [] } } };

export const promptBody = { prompt: "Hello World" };

const record = {
  chat_record_id: 1,
  conn_id: "openaigpt35turbotest1",
  context_strategy: "",
  prompt_template: "",
  prompt: "Hello World",
  prepared_prompt: "Hello World",
  predicted_result: "Hello! How can I help you today?",
  duration: "1.04 secs",
  prompt_time: "03/15/2024, 04:42:02",
  status: "ok",
  error: null,
  partial_result: null,
  finish_reason: "stop",
  finish_reason_raw: "stop",
  model: "gpt-3.5-turbo-0125",
  system_prompt: null,
  usage: { input_tokens: 9, output_tokens: 9 },
  cached_input_tokens: 0,
  reasoning_tokens: null,
  duration_ms: 1040,
  ttft_ms: 412,
  queue_ms: 0,
  attempts: 1,
  provider_request_id: "req_0123456789",
};

export const promptResponse = {
  [chats[0]]: [record],
  [chats[1]]: [{ ...record, conn_id: "openaigpt4test1", model: "gpt-4-0613" }],
};

const receipt = {
  connector_type: "openai-connector",
  url: "https://api.openai.com/v1/chat/completions",
  model_asked: "gpt-3.5-turbo",
  model_answered: record.model,
  params: { temperature: 0 },
  body: '{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"Hello World"}],"stream":true,"temperature":0}',
  body_sha256: "c42286c05183cc201f9ecd29d36b708e7e0b682b7278b4cdb71ae15cd837e315",
  provider_request_id: record.provider_request_id,
  attempts: [{ error: null, duration_ms: 1040, provider_request_id: record.provider_request_id }],
  queue_ms: 0,
  ttft_ms: record.ttft_ms,
  duration_ms: record.duration_ms,
  finish_reason_raw: record.finish_reason_raw,
  notes: [],
  usage: record.usage,
  cached_input_tokens: record.cached_input_tokens,
  reasoning_tokens: record.reasoning_tokens,
  prices: { input_per_million: 0.5, output_per_million: 1.5 },
  cost: 0.000018,
};

const ids = { session_id: session.session_id, chat_id: chats[0], endpoint: createBody.endpoints[0] };

export const exportTexts = {
  "application/jsonl": `${JSON.stringify({ ...ids, ...record, response: record.predicted_result, receipt })}\n`,
  "text/csv": [
    "session_id,chat_id,endpoint,chat_record_id,prompt_time,prompt,prepared_prompt,predicted_result,response,partial_result,status,error_code,error_message,finish_reason,model,attempts,queue_ms,duration_ms,ttft_ms,input_tokens,output_tokens,cost,prompt_template,context_strategy",
    `${session.session_id},${chats[0]},${createBody.endpoints[0]},1,"03/15/2024, 04:42:02",Hello World,Hello World,Hello! How can I help you today?,Hello! How can I help you today?,,ok,,,stop,gpt-3.5-turbo-0125,1,0,1040,412,9,9,0.000018,,`,
    "",
  ].join("\r\n"),
};

const numbers = {
  count: 1,
  ok: 1,
  cancelled: 0,
  errors: {},
  finish_reasons: { stop: 1 },
  duration_ms: { min: 1040, p50: 1040, p90: 1040, p95: 1040, p99: 1040, max: 1040 },
  ttft_ms: { min: 412, p50: 412, p90: 412, p95: 412, p99: 412, max: 412 },
  usage: record.usage,
  cost: receipt.cost,
  priced: 1,
  attempts: 1,
};

export const statisticsResponse = {
  session_id: session.session_id,
  chats: [{ chat_id: chats[0], endpoint: createBody.endpoints[0], ...numbers }],
  total: numbers,
};

const turnId = "65f3a1c2c4d5e6f708192a3e";
const inTurn = { turnId, chatId: chats[0] };
const at = "2024-03-14T20:42:02.114Z";

const turnEvents = {
  "turn-started": { type: "turn-started", turnId, chatIds: [...chats] },
  "message-appended": {
    type: "message-appended",
    seq: 1,
    chatId: null,
    turnId,
    role: "user",
    content: promptBody.prompt,
    timestamp: at,
  },
  "reply-start": { type: "reply-start", ...inTurn },
  "reply-delta": { type: "reply-delta", ...inTurn, offset: 0, text: "Hello! How can" },
  "message-appended, a reply": {
    type: "message-appended",
    seq: 2,
    ...inTurn,
    role: "assistant",
    content: record.predicted_result,
    timestamp: at,
    status: "ok",
    finishReason: "stop",
    usage: { inputTokens: 9, outputTokens: 9 },
    durationMs: record.duration_ms,
    ttftMs: record.ttft_ms,
  },
  "reply-end": { type: "reply-end", ...inTurn, status: "ok" },
  "reply-end, failed": {
    type: "reply-end",
    turnId,
    chatId: chats[1],
    status: "error",
    error: { code: "rate_limited", message: "The provider answered 429: Too many requests" },
  },
  "turn-ended": { type: "turn-ended", turnId, status: "partial", retryAfterSeconds: 7 },
} as const satisfies EventStream["examples"];

const followedEvents = {
  "session-snapshot": { type: "session-snapshot", session, lastSeq: 0, turn: null },
  ...turnEvents,
  "replay-progress": { type: "replay-progress", turn: 1, of: 20 },
  "session-updated": { type: "session-updated", session: { ...session, context_strategy: "chat_history" } },
} satisfies EventStream["examples"];

export const promptStream: EventStream = {
  curl: `curl -N "$PARLEY/v1/sessions/<session_id>/prompt" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -H 'accept: text/event-stream' -d '${JSON.stringify(promptBody)}'`,
  examples: turnEvents,
};

const replayProgress = { "replay-progress": { type: "replay-progress", turn: 1, of: 20 } } as const;

export const replayStream: EventStream = {
  curl: `curl -N "$PARLEY/v1/sessions/<replay_id>/replay" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{}'`,
  examples: { ...turnEvents, ...replayProgress },
};

export const adoptBody = { chat_id: chats[0], chat_record_id: 1 };

export const sessionStream: EventStream = {
  curl: `curl -N "$PARLEY/v1/sessions/<session_id>/events?after=0" -H "authorization: Bearer $KEY" -H 'accept: text/event-stream'`,
  examples: {
    ...followedEvents,
    "stream-closed": { type: "stream-closed", code: 4404, reason: "session deleted" },
  },
};

export const socketFrames: SocketFrames = {
  fromClient: [
    { type: "prompt-submit", id: "1", content: promptBody.prompt },
    { type: "turn-cancel", id: "2", chatId: chats[0] },
  ],
  fromServer: {
    ...followedEvents,
    ack: { type: "ack", id: "1", turnId },
    failure: { type: "failure", id: "1", code: "turn_queue_full", message: "Too many turns wait in this session" },
  },
};
