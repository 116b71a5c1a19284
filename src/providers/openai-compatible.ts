import * as z from "zod";
import type { FinishReason, Usage } from "../core/message.ts";
import type { ReplyEnd, ReplyFailed } from "../core/reply.ts";
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
  error: z.union([z.string(), z.object({ message: z.string().nullish() })]).nullish(),
});
type Chunk = z.output<typeof Chunk>;

/**
 * Chat completions as OpenAI streams them, and as every compatible server does. The terminal marker is `[DONE]`. https://platform.openai.com/docs/api-reference/chat-streaming
 */
export const openaiCompatible = (defaultUri: string): WireFormat => ({
  defaultUri,
  post({ uri, token, model, messages }, sent) {
    return {
      url: `${(uri || defaultUri).replace(/\/+$/, "")}/chat/completions`,
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      body: {
        stream_options: { include_usage: true },
        ...sent,
        ...(model === "" ? {} : { model }),
        messages,
        stream: true,
      },
      secret: token,
    };
  },
  reader: chatCompletionReader,
});

function chatCompletionReader(requestId: string | null): Reader {
  const seen: Seen = { id: requestId, model: null, finishReason: "stop", usage: null };
  return {
    *read({ data }) {
      if (data === "[DONE]") return yield ended(seen);
      const chunk = parseEvent(Chunk, data);
      if (chunk.error) return yield { ...brokenOff(chunk.error), providerRequestId: seen.id };
      const choice = chunk.choices?.find(({ index }) => !index);
      note(seen, chunk, choice?.finish_reason);
      const text = textOf(choice?.delta);
      if (text) yield { type: "text", text };
    },
  };
}

/** A refusal is what the model says instead of an answer, so it is the answer. */
const textOf = (delta: Delta | null | undefined): string | null | undefined => delta?.content ?? delta?.refusal;

/** What the chunks have told so far. */
interface Seen {
  id: string | null;
  model: string | null;
  finishReason: FinishReason;
  usage: Usage | null;
}

function note(seen: Seen, chunk: Chunk, finishReason: string | null | undefined): void {
  seen.id ??= chunk.id ?? null;
  seen.model ??= chunk.model ?? null;
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
