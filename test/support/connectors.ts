/** Calls a provider's adapter without a session, against the server that plays recorded answers. */
import { inject } from "vitest";
import type { ConnectorType } from "../../src/core/endpoint.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest } from "../../src/core/reply.ts";
import { callWithRetries } from "../../src/providers/call/attempts.ts";
import type { CallContext } from "../../src/providers/call/attempts.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";

const upstream = inject("upstream");

/** The folder of recorded answers per connector type. `null`: the type calls no provider. */
export const FIXTURES = {
  "openai-connector": "openai",
  "azure-openai-connector": "azure",
  "together-connector": "together",
  "anthropic-connector": "anthropic",
  "google-gemini-connector": "gemini",
  "workers-ai-connector": "workers-ai",
  "echo-connector": null,
  "eliza-connector": null,
} as const satisfies Record<ConnectorType, string | null>;

export const KEY = "sk-no-one-may-see";

/** A request to a connector. @param scene which recorded answer the provider plays */
export function makeRequest(
  connectorType: ConnectorType,
  scene: string,
  fields: Partial<ReplyRequest> = {},
): ReplyRequest {
  const folder = FIXTURES[connectorType];
  const byBinding = connectorType === "workers-ai-connector";
  return {
    endpointId: "the-endpoint",
    connectorType,
    uri: folder === null || byBinding ? "" : `${upstream}/${folder}/${scene}`,
    token: KEY,
    model: byBinding ? scene : "the-model",
    params: "{}",
    messages: [{ role: "user", content: "Hi" }],
    previousCalls: 0,
    withReceipt: true,
    callLimits: { maxCallsPerSecond: 0, maxConcurrency: 0, since: 0 },
    ...fields,
  };
}

/** Stands for the Workers AI binding. The model's name is the scene that it plays. */
export const fakeAi = {
  async run(model: string, inputs: unknown, options: { signal: AbortSignal }): Promise<ReadableStream | null> {
    const body = JSON.stringify(inputs);
    const played = await fetch(`${upstream}/workers-ai/${model}`, { method: "POST", body, ...options });
    if (played.status !== 200)
      throw new Error(`${ERROR_NUMBERS[played.status] ?? "InferenceUpstreamError"}: it is not to be`);
    return played.body;
  },
};

const ERROR_NUMBERS: Partial<Record<number, string>> = { 429: "3040", 403: "5018", 400: "5007", 408: "3007" };

export interface ProviderReply {
  text: string;
  last: (ReplyEnd | ReplyFailure) & { metrics: CallMetrics };
}

/** Calls a provider, with retries, until the reply ends. */
export async function callProvider(request: ReplyRequest, context: Partial<CallContext> = {}): Promise<ProviderReply> {
  const events: ReplyEvent[] = [];
  const fullContext: CallContext = {
    stop: new AbortController().signal,
    acquireSlot: null,
    providerEnv: { ai: fakeAi, allowPrivateUrls: true },
    ...context,
    onEvents: (portion) => {
      events.push(...portion);
      context.onEvents?.(portion);
    },
  };
  await callWithRetries(PROVIDERS[request.connectorType], request, fullContext);
  const last = events.at(-1);
  if (!last || last.type === "text" || !last.metrics) throw new Error("A reply without an end");
  const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { text, last: { ...last, metrics: last.metrics } };
}
