/**
 * Maps the finish reasons of all providers to Parley's. There is one table for all formats, because gateways pass on
 * the reason of one vendor in the format of another. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { FinishReason } from "../../core/message.ts";

/** A finish reason, or the failure that it means. */
export type FinishMeaning = FinishReason | { errorCode: ReplyErrorCode };

const PROVIDER_ERROR: FinishMeaning = { errorCode: "provider_error" };

/**
 * In lower case. Reasons of OpenAI and Azure, Anthropic, Gemini
 * (https://ai.google.dev/api/generate-content#FinishReason), Mistral (`model_length`, `error`), DeepSeek
 * (`insufficient_system_resource`), Text Generation Inference and Together (`eos_token`, `eos`), vLLM (`abort`) and
 * Zhipu (`sensitive`, `network_error`).
 */
const MEANINGS: ReadonlyMap<string, FinishMeaning> = new Map<string, FinishMeaning>([
  ...entriesOf("stop", "stop eos eos_token stop_sequence end_turn"),
  ...entriesOf("length", "length max_tokens model_length model_context_window_exceeded"),
  ...entriesOf(
    "content_filter",
    "content_filter refusal sensitive safety recitation language blocklist prohibited_content",
  ),
  ...entriesOf("content_filter", "spii image_safety image_prohibited_content image_recitation"),
  ...entriesOf("tool_calls", "tool_calls function_call tool_use"),
  ...entriesOf(
    PROVIDER_ERROR,
    "error abort network_error unexpected_tool_call too_many_tool_calls missing_thought_signature",
  ),
  ...entriesOf(PROVIDER_ERROR, "no_image image_other"),
  ...entriesOf({ errorCode: "provider_overloaded" }, "insufficient_system_resource"),
]);

function entriesOf(meaning: FinishMeaning, names: string): [string, FinishMeaning][] {
  return names.split(" ").map((reason) => [reason, meaning]);
}

/** Values that mean no reason. */
const UNSPECIFIED: ReadonlySet<string> = new Set(["", "null", "finish_reason_unspecified"]);

/** @returns `null` if the value means no reason; `other` for an unknown reason */
export function finishMeaning(reason: string): FinishMeaning | null {
  const lower = reason.toLowerCase();
  if (UNSPECIFIED.has(lower)) return null;
  return MEANINGS.get(lower) ?? (lower.includes("malformed") ? PROVIDER_ERROR : "other");
}
