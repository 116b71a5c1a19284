/** The JSON of completions and of their chunks. No effects. */
import type * as z from "zod";
import type { FinishReason, Usage } from "../../../core/message.ts";
import type { Caller } from "../../../core/caller.ts";
import type { ReplyEnd } from "../../../core/reply.ts";
import type { EpochMs } from "../../../core/time.ts";
import { problemOfReply } from "../call-model.ts";
import { errorResponse } from "../errors.ts";
import type { ReplyPortion } from "../../http/open-reply.ts";
import { dataEvent, namedEvent } from "../../http/reply-stream.ts";
import type { ReplyEvents } from "../../http/reply-stream.ts";
import type { ChatCompletion, ChatCompletionChunk, CompletionUsage } from "../response-schemas.ts";

/** What all parts of one completion have in common. */
export interface CompletionHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** As the call named it. */
  model: string;
}

/** @param id names the call */
export const newCompletionHead = (id: string, model: string, at: EpochMs): CompletionHead => ({
  id: `chatcmpl-${id}`,
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

const DONE = "data: [DONE]\n\n";

/**
 * The chunks of one completion as text. A failed reply ends with an error, and without the marker of the end.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
export class CompletionEvents implements ReplyEvents {
  readonly #head: CompletionHead;
  readonly #includeUsage: boolean;
  readonly #caller: Caller;

  constructor(head: CompletionHead, { includeUsage, caller }: { includeUsage: boolean; caller: Caller }) {
    this.#head = head;
    this.#includeUsage = includeUsage;
    this.#caller = caller;
  }

  start(): string {
    return this.#chunk({ role: "assistant", content: "" }, null);
  }

  portion({ text, final }: ReplyPortion): string {
    const texts = text === "" ? "" : this.#chunk({ content: text }, null);
    if (final === null) return texts;
    const problem = problemOfReply(final, this.#caller);
    // OpenAI's clients raise an error for an object in `error`, whatever the name of the event.
    if (problem) return texts + namedEvent("error", errorResponse(problem).body);
    return texts + this.#end(final as ReplyOutcome) + DONE;
  }

  /** The chunk with the finish reason; and, for a caller that asked for it, one with the usage if it is known. */
  #end(outcome: ReplyOutcome): string {
    const last = this.#chunk({}, finishReasonOf(outcome));
    if (!this.#includeUsage || !outcome.usage) return last;
    const chunk: Chunk = { ...this.#base(), choices: [], usage: presentUsage(outcome.usage) };
    return last + dataEvent(chunk);
  }

  #base() {
    const { id, created, model } = this.#head;
    return { id, object: "chat.completion.chunk" as const, created, model };
  }

  #chunk(delta: Delta, finishReason: string | null): string {
    const chunk: Chunk = {
      ...this.#base(),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(this.#includeUsage ? { usage: null } : {}),
    };
    return dataEvent(chunk);
  }
}
