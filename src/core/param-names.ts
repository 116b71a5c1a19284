/**
 * Params of providers that have several names, or are given in two places: whoever pins one of them pins all. What is
 * sent to a provider is decided by its adapter in `providers/adapters`. Pure.
 */

/** Fields of Gemini's `generationConfig`. https://ai.google.dev/api/generate-content#generationconfig */
export const GENERATION_FIELDS: ReadonlySet<string> = new Set(
  `stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities
  candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs
  enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution`.split(/\s+/),
);

const SAME_MEANING: readonly (readonly string[])[] = [
  ["timeout_ms", "timeout"],
  ["max_attempts", "allow_retries", "num_of_retries"],
  // Names by which servers choose a model, or the models to fall back on:
  // https://openrouter.ai/docs/guides/routing, https://openrouter.ai/docs/guides/features/presets,
  // https://docs.litellm.ai/docs/proxy/reliability, https://vercel.com/docs/ai-gateway/models-and-providers/model-fallbacks
  `model models model_id model_name engine deployment deployment_id deployment_name fallbacks fallback_models
  context_window_fallbacks route preset providerOptions`.split(/\s+/),
  // https://platform.openai.com/docs/api-reference/chat/create
  ["max_tokens", "max_completion_tokens"],
  // The adapter moves each of these fields into the object, so whoever sets the object sets the field.
  ...[...GENERATION_FIELDS].map((field) => [field, "generationConfig"]),
];

/** A name in the one form of all its spellings: Google takes `maxOutputTokens` and `max_output_tokens`. */
const spellingOf = (name: string): string => name.replaceAll("_", "").toLowerCase();

const GROUPS = SAME_MEANING.map((names) => names.map(spellingOf));

/** The params that override pinned ones, in the order in which they are given. */
export function overriddenPins(overrides: object, pinned: readonly string[]): string[] {
  const pins = new Set(
    pinned.map(spellingOf).flatMap((pin) => [pin, ...GROUPS.filter((names) => names.includes(pin)).flat()]),
  );
  return Object.keys(overrides).filter((name) => pins.has(spellingOf(name)));
}
