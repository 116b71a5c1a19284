/** Replies and receipts as a turn writes them, for tests of any kind. Imports nothing of Workers. */
import type { Receipt, ReplyDetail } from "../../src/core/message.ts";

/** What a turn writes about a reply, beside its text. */
export const makeReplyDetail = (fields: Partial<ReplyDetail> = {}): ReplyDetail => ({
  status: "ok",
  endpointId: "endpoint",
  finishReason: "stop",
  error: null,
  model: "m-1",
  usage: { inputTokens: 10, outputTokens: 20 },
  durationMs: 100,
  ttftMs: 10,
  attempts: 1,
  providerRequestId: "req_1",
  preparedPrompt: "prepared",
  promptTemplate: null,
  contextStrategy: null,
  ...fields,
});

export const makeReceipt = (fields: Partial<Receipt> = {}): Receipt => ({
  connectorType: "openai-connector",
  url: "https://api.example.com/v1/chat/completions",
  modelAsked: "m",
  params: '{"temperature":0}',
  body: '{"model":"m"}',
  bodySha256: "ab".repeat(32),
  attempts: [{ error: null, durationMs: 100, providerRequestId: "req_1" }],
  prices: { inputPerMillion: 0.5, outputPerMillion: 1.5 },
  ...fields,
});
