/**
 * Reads the token usage that OpenAI-compatible servers report, in all its forms. The usage of Anthropic and Gemini is
 * read in their own adapters. Pure.
 */
import type { Usage } from "../../core/message.ts";
import { countOf, isObject, objectOf } from "../call/json-fields.ts";
import type { JsonObject } from "../call/json-fields.ts";

/** The first value that is a count. */
const firstCount = (...values: unknown[]): number | null => {
  for (const candidate of values) if (countOf(candidate) !== null) return countOf(candidate);
  return null;
};

/** @returns `null` if one of the counts is not known: for an empty object, a list, a text */
export function usageIn(value: unknown): Usage | null {
  // Most chunks have none.
  if (!isObject(value)) return null;
  const usage = value;
  const total = countOf(usage["total_tokens"]);
  const givenInput = firstCount(usage["prompt_tokens"], usage["input_tokens"]);
  const givenOutput = firstCount(usage["completion_tokens"], usage["output_tokens"]);
  const input = givenInput ?? difference(total, givenOutput);
  const output = givenOutput ?? difference(total, givenInput);
  if (input === null || output === null) return null;
  const reasoning = reasoningTokensIn(usage);
  const cached = cachedTokensIn(usage);
  return {
    inputTokens: input,
    outputTokens: output + (isExcludedFromOutput(usage, reasoning) ? (reasoning ?? 0) : 0),
    ...(cached === null ? {} : { cachedInputTokens: cached }),
    ...(reasoning === null ? {} : { reasoningTokens: reasoning }),
  };
}

/** A count that is missing beside the total; `null` if it cannot be known. */
const difference = (total: number | null, other: number | null): number | null =>
  total !== null && other !== null && total >= other ? total - other : null;

/** The fields of OpenAI, DeepSeek and Kimi. */
const cachedTokensIn = (usage: JsonObject): number | null =>
  firstCount(
    objectOf(usage["prompt_tokens_details"] ?? usage["input_tokens_details"])["cached_tokens"],
    usage["prompt_cache_hit_tokens"],
    usage["cached_tokens"],
  );

const reasoningTokensIn = (usage: JsonObject): number | null =>
  firstCount(
    objectOf(usage["completion_tokens_details"] ?? usage["output_tokens_details"])["reasoning_tokens"],
    usage["reasoning_tokens"],
  );

/**
 * Whether the output tokens do not include reasoning. Perplexity, which has a field of its own, never includes it. For
 * other servers the total shows it.
 */
function isExcludedFromOutput(usage: JsonObject, reasoning: number | null): boolean {
  if (reasoning === null) return false;
  if (countOf(usage["reasoning_tokens"]) !== null && !("completion_tokens_details" in usage)) return true;
  const countedTotal = (firstCount(usage["prompt_tokens"]) ?? 0) + (firstCount(usage["completion_tokens"]) ?? 0);
  return reasoning > 0 && countOf(usage["total_tokens"]) === countedTotal + reasoning;
}
