/**
 * OpenAI and the vendors whose chat completions are like its own: where and how they are asked. What their answers say is
 * read by `chat-completion.ts`. https://platform.openai.com/docs/api-reference/chat/create
 */
import type { ReplyRequest } from "../../core/reply.ts";
import { chatCompletion } from "./chat-completion.ts";
import { withoutNulls } from "../call/provider.ts";
import type { WireFormat } from "../call/http-provider.ts";

/** What is a compatible vendor's own. */
interface Vendor {
  defaultUri: string | null;
  url(base: string, model: string, params: Record<string, unknown>): string;
  headers(token: string): Record<string, string>;
  /** What is sent unless params say otherwise. */
  defaultBody: Record<string, unknown>;
  /** Params that go elsewhere than into the body. */
  params: readonly string[];
  required: WireFormat["required"];
  optional: WireFormat["optional"];
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A base address, or the whole address as vendors print it. */
const chatCompletions = (base: string) => `${base.replace(/\/chat\/completions$/, "")}/chat/completions`;

const standard = {
  url: chatCompletions,
  headers: bearer,
  defaultBody: { stream_options: { include_usage: true } },
  params: [],
  required: ["model"],
  optional: ["uri", "token"],
} as const;

/** Azure's newest version of the dated interface that is no preview. https://learn.microsoft.com/azure/ai-services/openai/api-version-lifecycle */
const AZURE_VERSION = "2024-10-21";

/** Vendors whose chat completions are OpenAI's, with what differs. */
export const VENDORS = {
  openai: { ...standard, defaultUri: "https://api.openai.com/v1" },
  // Tells the usage defaultBody. https://docs.together.ai/docs/openai-api-compatibility
  together: {
    ...standard,
    defaultUri: "https://api.together.xyz/v1",
    defaultBody: {},
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
  const [address = "", queryOfUri] = base.split("?");
  const root = address.replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
  const query = version == null ? (queryOfUri ?? "") : `api-version=${encodeURIComponent(version as string)}`;
  if (root.endsWith("/v1")) return `${chatCompletions(root)}${query && `?${query}`}`;
  const resource = root.replace(/\/openai$/, "");
  const deployment = /\/deployments\/[^/]+$/.test(root)
    ? root
    : `${resource}/openai/deployments/${encodeURIComponent(model)}`;
  return `${chatCompletions(deployment)}?${query || `api-version=${AZURE_VERSION}`}`;
}

/** A compatible vendor's chat completions. */
export const openaiCompatible = (vendor: Vendor): WireFormat => ({
  defaultUri: vendor.defaultUri,
  required: vendor.required,
  optional: vendor.optional,
  params: vendor.params,
  post(request, params) {
    const base = (request.uri || (vendor.defaultUri ?? "")).replace(/\/+$/, "");
    const sent = Object.fromEntries(Object.entries(params).filter(([name]) => !vendor.params.includes(name)));
    const url = vendor.url(base, modelOf(request, sent), params);
    // An address that was pasted whole names the model itself.
    const deployment = /\/deployments\/([^/]+)\//.exec(url)?.[1];
    return {
      url,
      headers: request.token === "" ? {} : vendor.headers(request.token),
      body: chatCompletionBody(request, sent, vendor.defaultBody),
      model: deployment === undefined ? modelOf(request, sent) : decodeURIComponent(deployment),
    };
  },
  unsupportedUrl:
    /\/(responses|api\/chat|api\/generate|messages|embeddings|(?<!chat\/)completions)$|:(streamG|g)enerateContent$/,
  answer: chatCompletion,
});

/** The body of a chat completion that is streamed, unless params say otherwise. */
export function chatCompletionBody(
  { model, messages }: ReplyRequest,
  sent: Record<string, unknown>,
  defaultBody: Record<string, unknown> = {},
): Record<string, unknown> {
  // Options of a stream are refused where nothing is streamed.
  const { stream = true, ...params } = { ...(sent["stream"] === undefined ? defaultBody : {}), ...sent };
  return withoutNulls({ ...(model === "" ? {} : { model }), ...params, messages, stream });
}

/** A model among the params is the one that is asked; `null` asks for none. */
export function modelOf(
  { model }: Pick<ReplyRequest, "model">,
  { model: modelParam }: Record<string, unknown>,
): string {
  if (modelParam === null) return "";
  return typeof modelParam === "string" ? modelParam : model;
}
