import * as z from "zod";
import type { FinishReason, Usage } from "../core/message.ts";
import type { ReplyEnd, ReplyFailed, ReplyRequest } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { parseEvent } from "./stream-reply.ts";
import type { Reader, WireFormat } from "./stream-reply.ts";

const FINISH_REASONS: Record<string, FinishReason> = { length: "length", content_filter: "content_filter" };

const tokens = z.number().int().min(0).nullish();

const Delta = z.object({ content: z.string().nullish(), refusal: z.string().nullish() });
type Delta = z.output<typeof Delta>;

/** What is read of a chunk. What is there must be of its kind: a corrupt answer must not pass for a good one. */
const Chunk = z.object({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        index: z.number().nullish(),
        delta: Delta.nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: tokens, completion_tokens: tokens }).nullish(),
  // Workers AI's own form; it makes a number of a text that looks like one.
  response: z.union([z.string(), z.number()]).nullish(),
  error: z.union([z.string(), z.object({ message: z.string().nullish() })]).nullish(),
});
type Chunk = z.output<typeof Chunk>;

/** What is a compatible vendor's own. */
interface Vendor {
  defaultUri: string | null;
  url(base: string, model: string, params: Record<string, unknown>): string;
  headers(token: string): Record<string, string>;
  /** What is sent unless params say otherwise. */
  unasked: Record<string, unknown>;
  /** Params that go elsewhere than into the body. */
  params: readonly string[];
  required: WireFormat["required"];
  optional: WireFormat["optional"];
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const chatCompletions = (base: string) => `${base}/chat/completions`;
const standard = {
  url: chatCompletions,
  headers: bearer,
  unasked: { stream_options: { include_usage: true } },
  params: [],
  required: ["model"],
  optional: ["uri", "token"],
} as const;

/** Azure's newest version of the dated interface that is no preview. https://learn.microsoft.com/azure/ai-services/openai/api-version-lifecycle */
const AZURE_VERSION = "2024-10-21";

/** Vendors whose chat completions are OpenAI's, with what differs. */
export const VENDORS = {
  openai: { ...standard, defaultUri: "https://api.openai.com/v1" },
  // Tells the usage unasked. https://docs.together.ai/docs/openai-api-compatibility
  together: {
    ...standard,
    defaultUri: "https://api.together.xyz/v1",
    unasked: {},
    required: ["token", "model"],
    optional: ["uri"],
  },
  azure: {
    ...standard,
    defaultUri: null,
    url: azureUrl,
    headers: (token) => ({ "api-key": token }),
    params: ["api_version"],
    required: ["uri", "token", "model"],
    optional: [],
  },
} as const satisfies Record<string, Vendor>;

/**
 * Both of Azure's addresses: the newer one, `…/openai/v1`, which takes a version only if one is given, and the dated one,
 * which names the deployment in its path. https://learn.microsoft.com/azure/ai-services/openai/reference
 */
function azureUrl(base: string, model: string, { api_version: version }: Record<string, unknown>): string {
  const root = base.replace(/\/chat\/completions$/, "");
  const query = version === undefined ? "" : `?api-version=${encodeURIComponent(version as string)}`;
  if (root.endsWith("/v1")) return `${chatCompletions(root)}${query}`;
  const resource = root.replace(/\/openai$/, "");
  const deployment = /\/deployments\/[^/]+$/.test(root)
    ? root
    : `${resource}/openai/deployments/${encodeURIComponent(model)}`;
  return `${chatCompletions(deployment)}${query || `?api-version=${AZURE_VERSION}`}`;
}

/**
 * Chat completions as OpenAI streams them, and as every compatible server does. The terminal marker is `[DONE]`. https://platform.openai.com/docs/api-reference/chat-streaming
 */
export const openaiCompatible = (vendor: Vendor): WireFormat => ({
  defaultUri: vendor.defaultUri,
  required: vendor.required,
  optional: vendor.optional,
  params: vendor.params,
  post(request, params) {
    const base = (request.uri || (vendor.defaultUri ?? "")).replace(/\/+$/, "");
    const sent = Object.fromEntries(Object.entries(params).filter(([name]) => !vendor.params.includes(name)));
    return {
      url: vendor.url(base, modelOf(request, sent), params),
      headers: request.token === "" ? {} : vendor.headers(request.token),
      body: chatCompletionBody(request, { ...vendor.unasked, ...sent }),
      model: modelOf(request, sent),
    };
  },
  reader: chatCompletionReader,
  // Azure refuses a prompt that its filter caught: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
  isFiltered: (said) => /"code"\s*:\s*"content_filter"/.test(said),
});

/** The body of a chat completion that is streamed. */
export const chatCompletionBody = ({ model, messages }: ReplyRequest, sent: Record<string, unknown>) => ({
  ...(model === "" ? {} : { model }),
  ...sent,
  messages,
  stream: true,
});

/** A model among the params is the one that is asked. */
export const modelOf = ({ model }: ReplyRequest, sent: Record<string, unknown>): string =>
  typeof sent["model"] === "string" ? sent["model"] : model;

/** Reads chat completion chunks, and those of Workers AI. */
export function chatCompletionReader(requestId: string | null): Reader {
  const seen: Seen = { id: requestId, model: null, finishReason: "stop", usage: null };
  return {
    *read({ data }) {
      if (data === "[DONE]") return yield ended(seen);
      const chunk = parseEvent(Chunk, data);
      if (chunk.error) return yield { ...brokenOff(chunk.error), providerRequestId: seen.id };
      const choice = chunk.choices?.find(({ index }) => !index);
      note(seen, chunk, choice?.finish_reason);
      const text = textOf(choice?.delta) ?? ownText(chunk);
      if (text) yield { type: "text", text };
    },
  };
}

/** A refusal is what the model says instead of an answer, so it is the answer. */
const textOf = (delta: Delta | null | undefined): string | null | undefined => delta?.content ?? delta?.refusal;

const ownText = ({ response }: Chunk): string | null => (response == null ? null : String(response));

/** What the chunks have told so far. */
interface Seen {
  id: string | null;
  model: string | null;
  finishReason: FinishReason;
  usage: Usage | null;
}

function note(seen: Seen, chunk: Chunk, finishReason: string | null | undefined): void {
  // Azure's first chunk names neither.
  seen.id ??= chunk.id || null;
  seen.model ??= chunk.model || null;
  seen.usage = usageOf(chunk) ?? seen.usage;
  if (finishReason) seen.finishReason = FINISH_REASONS[finishReason] ?? "stop";
}

const ended = ({ id, model, finishReason, usage }: Seen): ReplyEnd => ({
  type: "end",
  finishReason,
  model,
  usage,
  providerRequestId: id,
});

const brokenOff = (error: NonNullable<Chunk["error"]>): ReplyFailed =>
  replyFailed(
    "provider_error",
    `The provider broke off: ${typeof error === "string" ? error : (error.message ?? "no reason given")}`,
  );

const usageOf = ({ usage }: Chunk): Usage | null =>
  usage ? { inputTokens: usage.prompt_tokens ?? 0, outputTokens: usage.completion_tokens ?? 0 } : null;
