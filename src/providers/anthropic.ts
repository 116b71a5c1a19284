import * as z from "zod";
import type { FinishReason, Usage } from "../core/message.ts";
import { replyFailed } from "../core/reply.ts";
import type { ModelMessage, ReplyEnd, ReplyFailed } from "../core/reply.ts";
import { parseEvent } from "./stream-reply.ts";
import type { Reader, WireFormat } from "./stream-reply.ts";

const DEFAULT_URI = "https://api.anthropic.com";

/**
 * The version of the API unless params say otherwise: the last one that takes `temperature`, `top_p` and `top_k`, which the
 * next refuses. https://platform.claude.com/docs/en/api/versioning
 */
const VERSION = "2023-06-01";

/** The Messages API demands a limit; this one holds where an endpoint's params set none. */
const DEFAULT_MAX_TOKENS = 4096;

const FINISH_REASONS: Record<string, FinishReason> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
};

const Tokens = z.object({
  input_tokens: z.number().int().min(0).nullish(),
  output_tokens: z.number().int().min(0).nullish(),
});
type Tokens = z.output<typeof Tokens>;

/** What is read of an event. What is there must be of its kind: a corrupt answer must not pass for a good one. */
const StreamEvent = z.object({
  type: z.string(),
  message: z.object({ id: z.string().optional(), model: z.string().optional(), usage: Tokens.optional() }).optional(),
  delta: z.object({ text: z.string().optional(), stop_reason: z.string().nullish() }).optional(),
  usage: Tokens.optional(),
  error: z.object({ type: z.string().optional(), message: z.string().optional() }).optional(),
});
type StreamEvent = z.output<typeof StreamEvent>;

/**
 * The Messages API. System messages go where it wants them, in `system`; the terminal marker is `message_stop`.
 * https://docs.anthropic.com/en/api/messages-streaming
 */
export const anthropic: WireFormat = {
  defaultUri: DEFAULT_URI,
  required: ["token", "model"],
  optional: ["uri"],
  params: ["anthropic_version"],
  post({ uri, token, model, messages }, { anthropic_version: version = VERSION, ...sent }) {
    const turns = messages.filter(({ role }) => role !== "system");
    return {
      url: `${(uri || DEFAULT_URI).replace(/\/+$/, "").replace(/\/v1$/, "")}/v1/messages`,
      headers: { "anthropic-version": version as string, ...(token === "" ? {} : { "x-api-key": token }) },
      body: {
        ...(model === "" ? {} : { model }),
        max_tokens: DEFAULT_MAX_TOKENS,
        ...sent,
        ...systemOf(messages, sent["system"]),
        messages: turns,
        stream: true,
      },
      model: typeof sent["model"] === "string" ? sent["model"] : model,
    };
  },
  reader: messageReader,
};

/** System texts, behind those that the params set: as one text, or as blocks where the params have blocks. */
function systemOf(messages: ModelMessage[], given: unknown): { system?: unknown } {
  const texts = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  if (texts.length === 0) return {};
  if (Array.isArray(given)) return { system: [...given, ...texts.map((text) => ({ type: "text", text }))] };
  return { system: [...(typeof given === "string" ? [given] : []), ...texts].join("\n\n") };
}

function messageReader(requestId: string | null): Reader {
  const seen: Seen = { id: requestId, model: undefined, stopReason: null, usage: { inputTokens: 0, outputTokens: 0 } };
  return {
    *read({ data }) {
      const event = parseEvent(StreamEvent, data);
      note(seen, event);
      if (event.type === "error") yield { ...broken(event), providerRequestId: seen.id ?? null };
      if (event.type === "message_stop") yield ended(seen);
      if (event.type === "content_block_delta" && event.delta?.text) yield { type: "text", text: event.delta.text };
    },
  };
}

/** What the events have told so far. */
interface Seen {
  id: string | null | undefined;
  model: string | undefined;
  stopReason: string | null | undefined;
  usage: Usage;
}

function note(seen: Seen, { message = {}, delta = {}, usage = message.usage ?? {} }: StreamEvent): void {
  seen.id ??= message.id;
  seen.model ??= message.model;
  seen.stopReason ??= delta.stop_reason;
  count(seen.usage, usage);
}

/** Counts are for the whole message so far; an event gives those that it knows. */
function count(usage: Usage, { input_tokens, output_tokens }: Tokens): void {
  usage.inputTokens = input_tokens ?? usage.inputTokens;
  usage.outputTokens = output_tokens ?? usage.outputTokens;
}

const ended = ({ id, model, stopReason, usage }: Seen): ReplyEnd => ({
  type: "end",
  finishReason: FINISH_REASONS[stopReason ?? ""] ?? "stop",
  model: model ?? null,
  usage,
  providerRequestId: id ?? null,
});

const broken = ({ error }: StreamEvent): ReplyFailed =>
  replyFailed("provider_error", `The provider broke off: ${error?.message ?? error?.type ?? "no reason given"}`);
