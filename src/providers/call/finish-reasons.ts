/**
 * What providers' words for the end of a reply mean. One table for all formats: gateways pass the words of one vendor on in
 * the format of another. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { FinishReason } from "../../core/message.ts";

/** How the reply ended, or as what it failed. */
export type FinishMeaning = FinishReason | { fails: ReplyErrorCode };

const BROKEN: FinishMeaning = { fails: "provider_error" };

/**
 * In lower case. OpenAI's and Azure's words, and those of Anthropic, Gemini (https://ai.google.dev/api/generate-content#FinishReason),
 * Mistral (`model_length`, `error`), DeepSeek (`insufficient_system_resource`), Text Generation Inference and Together
 * (`eos_token`, `eos`), vLLM (`abort`) and Zhipu (`sensitive`, `network_error`).
 */
const MEANINGS: ReadonlyMap<string, FinishMeaning> = new Map<string, FinishMeaning>([
  ...reasons("stop", "stop eos eos_token stop_sequence end_turn"),
  ...reasons("length", "length max_tokens model_length model_context_window_exceeded"),
  ...reasons(
    "content_filter",
    "content_filter refusal sensitive safety recitation language blocklist prohibited_content",
  ),
  ...reasons("content_filter", "spii image_safety image_prohibited_content image_recitation"),
  ...reasons("tool_calls", "tool_calls function_call tool_use"),
  ...reasons(BROKEN, "error abort network_error unexpected_tool_call too_many_tool_calls missing_thought_signature"),
  ...reasons(BROKEN, "no_image image_other"),
  ...reasons({ fails: "provider_overloaded" }, "insufficient_system_resource"),
]);

function reasons(meaning: FinishMeaning, names: string): [string, FinishMeaning][] {
  return names.split(" ").map((reason) => [reason, meaning]);
}

/** Words that say nothing. */
const UNSPECIFIED: ReadonlySet<string> = new Set(["", "null", "finish_reason_unspecified"]);

/** @returns `null` for a word that says nothing; `other` for one that is not known */
export function finishMeaning(reason: string): FinishMeaning | null {
  const lower = reason.toLowerCase();
  if (UNSPECIFIED.has(lower)) return null;
  return MEANINGS.get(lower) ?? (lower.includes("malformed") ? BROKEN : "other");
}
