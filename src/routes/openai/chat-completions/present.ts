/** The JSON of completions and of their chunks. No effects. */
import type * as z from "zod";
import type { FinishReason, Usage } from "../../../core/message.ts";
import type { ReplyEnd } from "../../../core/reply.ts";
import type { EpochMs } from "../../../core/time.ts";
import type { ChatCompletion, ChatCompletionChunk, CompletionUsage } from "../response-schemas.ts";

/** What all parts of one completion have in common. */
export interface CompletionHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** As the call named it. */
  model: string;
}

export const newCompletionHead = (model: string, at: EpochMs): CompletionHead => ({
  id: `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
  created: Math.floor(at / 1000),
  model,
});

/** How a reply has ended. */
export type ReplyOutcome = Pick<ReplyEnd, "finishReason" | "finishReasonRaw" | "usage">;

export const presentCompletion = (
  { id, created, model }: CompletionHead,
  content: string,
  outcome: ReplyOutcome,
): z.output<typeof ChatCompletion> => ({
  id,
  object: "chat.completion",
  created,
  model,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: finishReasonOf(outcome),
    },
  ],
  ...(outcome.usage ? { usage: presentUsage(outcome.usage) } : {}),
});

/** OpenAI's own reasons under its names. One that Parley has no name for is the one of the provider. */
const OPENAI_REASONS: ReadonlySet<FinishReason> = new Set(["stop", "length", "content_filter", "tool_calls"]);

const finishReasonOf = ({ finishReason, finishReasonRaw }: ReplyOutcome): string =>
  OPENAI_REASONS.has(finishReason) ? finishReason : (finishReasonRaw ?? finishReason);

const presentUsage = (usage: Usage): z.output<typeof CompletionUsage> => ({
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  ...(usage.cachedInputTokens === undefined
    ? {}
    : { prompt_tokens_details: { cached_tokens: usage.cachedInputTokens } }),
  ...(usage.reasoningTokens === undefined
    ? {}
    : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
});

type Chunk = z.output<typeof ChatCompletionChunk>;
type Delta = Chunk["choices"][number]["delta"];

/** Makes the chunks of one completion. */
export class CompletionChunks {
  readonly #head: CompletionHead;
  readonly #includeUsage: boolean;

  constructor(head: CompletionHead, includeUsage: boolean) {
    this.#head = head;
    this.#includeUsage = includeUsage;
  }

  /** The first chunk, with the role. */
  start(): Chunk[] {
    return [this.#chunk({ role: "assistant", content: "" }, null)];
  }

  text(content: string): Chunk[] {
    return content === "" ? [] : [this.#chunk({ content }, null)];
  }

  /** The chunk with the finish reason; and, for a caller that asked for it, one with the usage if it is known. */
  end(outcome: ReplyOutcome): Chunk[] {
    const last = this.#chunk({}, finishReasonOf(outcome));
    if (!this.#includeUsage || !outcome.usage) return [last];
    return [last, { ...this.#base(), choices: [], usage: presentUsage(outcome.usage) }];
  }

  #base() {
    const { id, created, model } = this.#head;
    return { id, object: "chat.completion.chunk" as const, created, model };
  }

  #chunk(delta: Delta, finishReason: string | null): Chunk {
    return {
      ...this.#base(),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(this.#includeUsage ? { usage: null } : {}),
    };
  }
}
