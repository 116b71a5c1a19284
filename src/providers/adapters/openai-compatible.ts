/**
 * OpenAI and vendors with compatible chat completions: builds requests. Responses are read by `chat-completion.ts`.
 * Pure. https://platform.openai.com/docs/api-reference/chat/create
 */
import type { ReplyRequest } from "../../core/reply.ts";
import { chatCompletion } from "./chat-completion.ts";
import { withoutNulls } from "../call/provider.ts";
import type { WireFormat } from "../call/http-provider.ts";

/** What differs between compatible vendors. */
interface Vendor {
  defaultUri: string | null;
  url(base: string, model: string, params: Record<string, unknown>): string;
  headers(token: string): Record<string, string>;
  /** Fields of the body unless params set them. */
  defaultBody: Record<string, unknown>;
  /** Params that are not part of the body. */
  params: readonly string[];
  required: WireFormat["required"];
  optional: WireFormat["optional"];
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Accepts a base URL or a full URL. */
const chatCompletions = (base: string) => `${base.replace(/\/chat\/completions$/i, "")}/chat/completions`;

const defaults = {
  url: chatCompletions,
  headers: bearer,
  defaultBody: { stream_options: { include_usage: true } },
  params: [],
  required: ["model"],
  optional: ["uri", "token"],
} as const;

/**
 * Azure's newest stable version of the dated API.
 * https://learn.microsoft.com/azure/ai-services/openai/api-version-lifecycle
 */
const AZURE_VERSION = "2024-10-21";

/** Vendors with OpenAI's chat completions, and their differences. */
export const VENDORS = {
  openai: { ...defaults, defaultUri: "https://api.openai.com/v1" },
  // Together reports usage without `stream_options`. https://docs.together.ai/docs/openai-api-compatibility
  together: {
    ...defaults,
    defaultUri: "https://api.together.xyz/v1",
    defaultBody: {},
    required: ["token", "model"],
    optional: ["uri"],
  },
  azure: {
    ...defaults,
    defaultUri: null,
    url: azureUrl,
    headers: (token) => ({ "api-key": token }),
    params: ["api_version"],
    required: ["uri", "token", "model"],
    optional: [],
  },
} as const satisfies Record<string, Vendor>;

/**
 * Azure has two URLs. The newer one, `…/openai/v1`, takes a version only if one is given. The dated one has the
 * deployment in its path. https://learn.microsoft.com/azure/ai-services/openai/reference
 */
function azureUrl(base: string, model: string, { api_version: version }: Record<string, unknown>): string {
  const [address = "", queryOfUri] = base.split("?");
  const root = address.replace(/\/+$/, "").replace(/\/chat\/completions$/i, "");
  const query = version == null ? (queryOfUri ?? "") : `api-version=${encodeURIComponent(version as string)}`;
  if (root.endsWith("/v1")) return `${chatCompletions(root)}${query && `?${query}`}`;
  // Models of Azure AI Foundry have one path for all: https://learn.microsoft.com/rest/api/aifoundry/model-inference
  if (root.endsWith("/models")) return `${chatCompletions(root)}?${query || `api-version=${AZURE_VERSION}`}`;
  const resource = root.replace(/\/openai(\/deployments)?$/, "");
  const deployment = /\/deployments\/[^/]+$/.test(root)
    ? root
    : `${resource}/openai/deployments/${encodeURIComponent(model)}`;
  return `${chatCompletions(deployment)}?${query || `api-version=${AZURE_VERSION}`}`;
}

/** The wire format of a compatible vendor. */
export const openaiCompatible = (vendor: Vendor): WireFormat => ({
  defaultUri: vendor.defaultUri,
  required: vendor.required,
  optional: vendor.optional,
  params: vendor.params,
  buildRequest(request, params) {
    const base = (request.uri || (vendor.defaultUri ?? "")).replace(/\/+$/, "");
    const bodyParams = Object.fromEntries(Object.entries(params).filter(([name]) => !vendor.params.includes(name)));
    const url = vendor.url(base, modelOf(request, bodyParams), params);
    // A full URL contains the deployment.
    const deployment = /\/deployments\/([^/]+)\//.exec(url)?.[1];
    return {
      url,
      headers: request.token === "" ? {} : vendor.headers(request.token),
      body: chatCompletionBody(request, bodyParams, vendor.defaultBody),
      model: deployment === undefined ? modelOf(request, bodyParams) : decodeURIComponent(deployment),
    };
  },
  unsupportedUrl:
    /\/(responses|api\/chat|api\/generate|messages|embeddings|(?<!chat\/)completions)$|:(streamG|g)enerateContent$/,
  responseFormat: chatCompletion,
});

/** The body of a chat completion, streamed unless params turn it off. */
export function chatCompletionBody(
  { model, messages }: ReplyRequest,
  bodyParams: Record<string, unknown>,
  defaultBody: Record<string, unknown> = {},
): Record<string, unknown> {
  // Servers reject stream options without streaming.
  const { stream = true, ...params } = bodyParams;
  const added = stream === true ? defaultBody : {};
  return withoutNulls({ ...(model === "" ? {} : { model }), ...added, ...params, messages, stream });
}

/** A `model` in the params overrides the endpoint's model; `null` sends none. */
export function modelOf(
  { model }: Pick<ReplyRequest, "model">,
  { model: modelParam }: Record<string, unknown>,
): string {
  if (modelParam === null) return "";
  return typeof modelParam === "string" ? modelParam : model;
}
