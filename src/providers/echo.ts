import type { ReplyEvent, ReplyRequest, ReplyStream } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { reasonOf } from "./post-stream.ts";
import type { Provider } from "./provider.ts";
import { pause, speak, tokensOf } from "./pace.ts";
import { numberOf, readParams } from "./provider.ts";
import { timedOut } from "./stream-reply.ts";

/**
 * Answers exactly the prompt it was given; the same call always gets the same reply. Params: `delay_ms` before the first
 * token, `tokens_per_second`, and `fail`: an HTTP status to fail with, or `timeout`; `fail_times` limits the failures to
 * a chat's first calls.
 */
export const echo: Provider = {
  defaultUri: "",
  async *ask(request, signal) {
    const { sent, timeoutMs } = readParams(request.params);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      yield* answer(request, sent, AbortSignal.any([signal, deadline]));
    } catch {
      if (deadline.aborted) yield [timedOut(timeoutMs)];
    }
  },
};

async function* answer(
  { model, messages, priorCalls }: ReplyRequest,
  params: Record<string, unknown>,
  signal: AbortSignal,
): ReplyStream {
  await pause(numberOf(params["delay_ms"]) ?? 0, signal);
  const fails = params["fail"] !== undefined && priorCalls < (numberOf(params["fail_times"]) ?? Infinity);
  if (fails) return yield [await failAs(params["fail"], signal)];
  const prompt = messages.at(-1)?.content ?? "";
  yield* speak(prompt, numberOf(params["tokens_per_second"]), signal);
  const tokens = tokensOf(prompt).length;
  const usage = { inputTokens: tokens, outputTokens: tokens };
  yield [{ type: "end", finishReason: "stop", model: model || "echo", usage, providerRequestId: null }];
}

async function failAs(fail: unknown, signal: AbortSignal): Promise<ReplyEvent> {
  if (fail === "timeout") await new Promise((_, reject) => signal.addEventListener("abort", reject));
  const httpStatus = numberOf(fail) ?? 500;
  return replyFailed(reasonOf(httpStatus), `The echo endpoint was told to fail with ${String(fail)}.`);
}
