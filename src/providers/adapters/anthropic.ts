/**
 * Anthropic's Messages API: builds requests and reads the events of responses. Transport, retries and errors are in
 * `call/`. Pure. https://docs.anthropic.com/en/api/messages-streaming
 */
import type { Usage } from "../../core/message.ts";
import type { ModelMessage } from "../../core/reply.ts";
import { countOf, isObject, listOf, objectOf, stringOf } from "../call/json-fields.ts";
import type { JsonObject } from "../call/json-fields.ts";
import { withoutNulls } from "../call/provider.ts";
import { modelOf } from "./openai-compatible.ts";
import { readText } from "../call/reply-reader.ts";
import type { ResponseFormat, ChunkContent } from "../call/reply-reader.ts";
import type { WireFormat } from "../call/http-provider.ts";

const DEFAULT_URI = "https://api.anthropic.com";

/**
 * The API version unless params set one. It is the last version with `temperature`, `top_p` and `top_k`; the next one
 * rejects them. https://platform.claude.com/docs/en/api/versioning
 */
const API_VERSION = "2023-06-01";

/** The Messages API requires a limit. Applies if the endpoint's params set none. */
const DEFAULT_MAX_TOKENS = 4096;

/** Accepts a base URL with or without the version, and a full URL. */
const messagesUrl = (uri: string): string =>
  `${uri.replace(/\/+$/, "").replace(/(\/v1)?(\/messages)?$/i, "")}/v1/messages`;

/** Adds system texts after those of the params: as one text, or as blocks if the params have blocks. */
function systemOf(messages: ModelMessage[], systemParam: unknown): { system?: unknown } {
  const texts = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  if (texts.length === 0) return {};
  if (Array.isArray(systemParam)) return { system: [...systemParam, ...texts.map((text) => ({ type: "text", text }))] };
  return { system: [...(typeof systemParam === "string" ? [systemParam] : []), ...texts].join("\n\n") };
}

/**
 * Events of the Messages API, and its response without streaming. Events of unknown types are ignored: Anthropic may
 * add new ones at any time.
 */
export const messagesResponse: ResponseFormat = {
  endsWithDone: false,
  createReader: () => {
    const counts = new Map<string, number>();
    return (document) => (typeof document["type"] === "string" ? readEvent(document, counts) : null);
  },
};

function readEvent(event: JsonObject, counts: Map<string, number>): ChunkContent {
  if (event["type"] === "message") return readMessage(event, counts);
  const message = objectOf(event["message"]);
  const delta = objectOf(event["delta"]);
  return {
    id: stringOf(message["id"]),
    model: stringOf(message["model"]),
    text: textOfBlocks(message) + readText(delta["text"]) + readText(objectOf(event["content_block"])["text"]),
    hasReasoning: delta["thinking"] !== undefined || objectOf(event["content_block"])["type"] === "thinking",
    callsTool: objectOf(event["content_block"])["type"] === "tool_use",
    finishReason: stringOf(delta["stop_reason"]) ?? stringOf(message["stop_reason"]),
    usage: mergeUsage(counts, message["usage"] ?? event["usage"]),
    isLast: event["type"] === "message_stop",
  };
}

const textOfBlocks = (message: JsonObject): string =>
  listOf(message["content"])
    .filter(isObject)
    .map(({ type, text }) => (type === "text" ? readText(text) : ""))
    .join("");

/** A whole message, in response to a request for a stream. */
function readMessage(message: JsonObject, counts: Map<string, number>): ChunkContent {
  const blocks = listOf(message["content"]).filter(isObject);
  return {
    id: stringOf(message["id"]),
    model: stringOf(message["model"]),
    text: textOfBlocks(message),
    hasReasoning: blocks.some(({ type }) => type === "thinking"),
    callsTool: blocks.some(({ type }) => type === "tool_use"),
    finishReason: stringOf(message["stop_reason"]),
    usage: mergeUsage(counts, message["usage"]),
    isLast: true,
  };
}

/**
 * Counts are cumulative, and an event has only some of them. `input_tokens` does not include tokens that were read from
 * the cache or written to it. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 */
function mergeUsage(counts: Map<string, number>, usage: unknown): Usage | null {
  for (const [name, value] of Object.entries(objectOf(usage))) {
    const newCount = countOf(value);
    if (newCount !== null) counts.set(name, newCount);
  }
  const count = (name: string) => counts.get(name) ?? null;
  const input = count("input_tokens");
  const output = count("output_tokens");
  if (input === null && output === null) return null;
  const cached = count("cache_read_input_tokens");
  return {
    inputTokens: (input ?? 0) + (cached ?? 0) + (count("cache_creation_input_tokens") ?? 0),
    outputTokens: output ?? 0,
    ...(cached === null ? {} : { cachedInputTokens: cached }),
  };
}

/** The Messages API takes system messages in the field `system`. Its terminal marker is `message_stop`. */
export const anthropic: WireFormat = {
  defaultUri: DEFAULT_URI,
  required: ["token", "model"],
  optional: ["uri"],
  params: ["anthropic_version"],
  buildRequest({ uri, token, model, messages }, { anthropic_version: version, stream = true, ...params }) {
    const turns = messages.filter(({ role }) => role !== "system");
    return {
      url: messagesUrl(uri || DEFAULT_URI),
      headers: {
        "anthropic-version": (version ?? API_VERSION) as string,
        ...(token === "" ? {} : { "x-api-key": token }),
      },
      body: withoutNulls({
        ...(model === "" ? {} : { model }),
        max_tokens: DEFAULT_MAX_TOKENS,
        ...params,
        ...systemOf(messages, params["system"]),
        messages: turns,
        stream,
      }),
      model: modelOf({ model }, params),
    };
  },
  unsupportedUrl: /\/(responses|completions|complete|count_tokens)$/,
  responseFormat: messagesResponse,
};
