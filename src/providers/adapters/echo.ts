/**
 * The echo connector, for tests and demos without a model. Effects: timers.
 */
import { MAX_TIMEOUT_MS, numberOf } from "../../core/call-params.ts";
import type { ParamRule } from "../../core/call-params.ts";
import type { ReplyEvent, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { failureOfStatus } from "../call/provider-error.ts";
import type { Provider } from "../call/provider.ts";
import { TOKENS_PER_SECOND, pause, emitTokens, tokensOf } from "./token-pacing.ts";

const isWhole = (value: unknown): boolean => Number.isInteger(numberOf(value));

const PARAM_RULES: ReadonlyMap<string, ParamRule> = new Map([
  [
    "delay_ms",
    {
      isValid: (value) => (numberOf(value) ?? Infinity) <= MAX_TIMEOUT_MS,
      message: `must be a number from 0 to ${MAX_TIMEOUT_MS}`,
    },
  ],
  ["tokens_per_second", TOKENS_PER_SECOND],
  [
    "fail",
    {
      isValid: (value) => value === "timeout" || (isWhole(value) && Number(value) >= 300 && Number(value) < 600),
      message: "must be an HTTP status from 300 to 599, or timeout",
    },
  ],
  ["fail_times", { isValid: isWhole, message: "must be a whole number, 0 or more" }],
]);

/**
 * Replies with the exact prompt, so the same call always has the same reply. Params: `delay_ms` before the first token,
 * `tokens_per_second`, and `fail`: an HTTP status to fail with, or `timeout`. `fail_times` limits the failures to the
 * first calls of a chat. It is called once per reply, so that a failure is not retried, unless `max_attempts` is set.
 */
export const echo: Provider = {
  defaultUri: "",
  required: [],
  optional: ["model"],
  unsupportedUrl: null,
  params: ["delay_ms", "tokens_per_second", "fail", "fail_times"],
  paramRules: PARAM_RULES,
  maxAttempts: 1,
  alternateRoles: false,
  prepare: ({ request, providerParams }) => ({
    url: null,
    body: null,
    model: request.model,
    async *make(signal, attempt) {
      try {
        yield* respond({ ...request, previousCalls: request.previousCalls + attempt - 1 }, providerParams, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  }),
};

async function* respond(
  { model, messages, previousCalls }: ReplyRequest,
  params: Record<string, unknown>,
  signal: AbortSignal,
): ReplyStream {
  await pause(numberOf(params["delay_ms"]) ?? 0, signal);
  const shouldFail = params["fail"] != null && previousCalls < (numberOf(params["fail_times"]) ?? Infinity);
  if (shouldFail) return yield [await failAs(params["fail"], signal)];
  const prompt = messages.at(-1)?.content ?? "";
  yield* emitTokens(prompt, numberOf(params["tokens_per_second"]), signal);
  const tokens = tokensOf(prompt).length;
  const usage = { inputTokens: tokens, outputTokens: tokens };
  yield [{ type: "end", finishReason: "stop", model: model || "echo", usage, providerRequestId: null }];
}

async function failAs(fail: unknown, signal: AbortSignal): Promise<ReplyEvent> {
  if (fail === "timeout") await new Promise((_, reject) => signal.addEventListener("abort", reject));
  return failureOfStatus(numberOf(fail) ?? 500, `The echo endpoint is configured to fail with ${String(fail)}.`);
}
