/**
 * Asks an endpoint once with a short prompt, as a session would: with its token, limits and params. Nothing is stored.
 * Effects: a call to the provider, and to the object that keeps the endpoint's limits.
 */
import type * as z from "zod";
import { mergeParams, readCallParams } from "../../../core/call-params.ts";
import type { Endpoint } from "../../../core/endpoint.ts";
import { now } from "../../../core/time.ts";
import { callEndpoint } from "../../../providers/call/call-endpoint.ts";
import type { CallEnvironment } from "../../../providers/call/call-endpoint.ts";
import { PROVIDERS } from "../../../providers/registry.ts";
import { EMPTY_LOG } from "../../../turn/context-strategies.ts";
import { fanOut } from "../../../turn/fan-out.ts";
import type { FanOutPorts, Reply } from "../../../turn/fan-out.ts";
import { comparisonTask, promptRenderer } from "../../../turn/prepare-turn.ts";
import type * as schemas from "./response-schemas.ts";

const PROMPT = "Reply with the word OK.";

/** The longest wait for the reply, in milliseconds. Applies also if the endpoint's own limit is longer. */
const TEST_TIMEOUT_MS = 30_000;

/** How much of the reply is shown, in characters. */
const MAX_TEXT = 1_000;

/** A failed reply is a result too. */
export async function testEndpoint(
  endpoint: Endpoint,
  environment: CallEnvironment,
): Promise<z.output<typeof schemas.EndpointTest>> {
  const { alternateRoles, maxAttempts } = PROVIDERS[endpoint.connectorType];
  const { timeoutMs } = readCallParams(endpoint.params, maxAttempts).limits;
  const once = JSON.stringify({ max_attempts: 1, timeout_ms: Math.min(timeoutMs, TEST_TIMEOUT_MS) });
  const target = {
    endpoint: { ...endpoint, params: mergeParams(endpoint.params, once, []) },
    previousCalls: 0,
    alternateRoles,
  };
  const preparation = { strategy: null, promptTemplate: null, renderPrompt: promptRenderer(null) };
  const task = comparisonTask({ chatId: "test", endpointId: endpoint.id }, target, PROMPT, EMPTY_LOG, preparation);
  const [reply] = await fanOut([task], portsIn(environment));
  if (!reply) throw new Error("A task without a reply");
  return presentTest(reply);
}

const portsIn = (environment: CallEnvironment): FanOutPorts => ({
  callEndpoints: async (calls, onEvents) => {
    for (const { chatId, request, signal } of calls)
      await callEndpoint(request, signal, (portion) => onEvents(chatId, portion), environment);
  },
  clock: now,
  signalOf: () => new AbortController().signal,
  onText: () => undefined,
  onReply: () => undefined,
});

const presentTest = ({ content, detail }: Reply): z.output<typeof schemas.EndpointTest> => ({
  ok: detail.status === "ok",
  error: detail.error,
  text: content.slice(0, MAX_TEXT),
  model: detail.model,
  finish_reason: detail.finishReason,
  usage: detail.usage && { input_tokens: detail.usage.inputTokens, output_tokens: detail.usage.outputTokens },
  duration_ms: detail.durationMs ?? 0,
  ttft_ms: detail.ttftMs,
  queue_ms: detail.queueMs ?? 0,
  provider_request_id: detail.providerRequestId,
});
