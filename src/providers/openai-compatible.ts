import type { FinishReason, Usage } from "../core/message.ts";
import type { ReplyEnd, ReplyFailed } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import type { Reader, WireFormat } from "./stream-reply.ts";

const FINISH_REASONS: Record<string, FinishReason> = { length: "length", content_filter: "content_filter" };

interface Chunk {
  id?: string;
  model?: string;
  choices?: { delta?: { content?: string | null; refusal?: string | null }; finish_reason?: string | null }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  error?: { message?: string } | string | null;
}

/**
 * Chat completions as OpenAI streams them, and as every compatible server does. The terminal marker is `[DONE]`, after
 * a finish reason. https://platform.openai.com/docs/api-reference/chat-streaming
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
  const seen: Seen = { id: requestId, model: null, finishReason: null, usage: null };
  return {
    *read({ data }) {
      if (data === "[DONE]") return yield ended(seen);
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error) return yield { ...brokenOff(chunk.error), providerRequestId: seen.id };
      note(seen, chunk);
      const delta = chunk.choices?.[0]?.delta;
      // A refusal is what the model says instead of an answer, so it is the answer.
      const text = delta?.content ?? delta?.refusal;
      if (text) yield { type: "text", text };
    },
  };
}

/** What the chunks have told so far. */
interface Seen {
  id: string | null;
  model: string | null;
  finishReason: FinishReason | null;
  usage: Usage | null;
}

function note(seen: Seen, chunk: Chunk): void {
  seen.id ??= chunk.id ?? null;
  seen.model ??= chunk.model ?? null;
  seen.usage = usageOf(chunk) ?? seen.usage;
  const finishReason = chunk.choices?.[0]?.finish_reason;
  if (finishReason) seen.finishReason = FINISH_REASONS[finishReason] ?? "stop";
}

const ended = ({ id, model, finishReason, usage }: Seen): ReplyEnd | ReplyFailed =>
  finishReason === null
    ? replyFailed("incomplete_stream", "The stream ended without a finish reason.", { providerRequestId: id })
    : { type: "end", finishReason, model, usage, providerRequestId: id };

const brokenOff = (error: NonNullable<Chunk["error"]>): ReplyFailed =>
  replyFailed(
    "provider_error",
    `The provider broke off: ${typeof error === "string" ? error : (error.message ?? "no reason given")}`,
  );

const usageOf = ({ usage }: Chunk): Usage | null =>
  usage ? { inputTokens: usage.prompt_tokens ?? 0, outputTokens: usage.completion_tokens ?? 0 } : null;
