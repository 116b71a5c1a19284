/**
 * Sends a text token by token, for the connectors without a model (`echo.ts`, `eliza.ts`). Effects: timers.
 */
import { numberOf } from "../../core/call-params.ts";
import type { ParamRule } from "../../core/call-params.ts";
import type { ReplyStream } from "../../core/reply.ts";

/** A timer of the runtime takes a pause of 24 days at most. */
const MIN_TOKENS_PER_SECOND = 0.001;

/** The rule for the param `tokens_per_second`. 0 means at once. */
export const TOKENS_PER_SECOND: ParamRule = {
  isValid: (value) => {
    const number = numberOf(value);
    return number !== null && (number === 0 || number >= MIN_TOKENS_PER_SECOND);
  },
  message: `must be 0, or a number of at least ${MIN_TOKENS_PER_SECOND}`,
};

/** Yields a text, at once or with a number of tokens per second. @throws if the signal is aborted before the end */
export async function* emitTokens(text: string, tokensPerSecond: number | null, signal: AbortSignal): ReplyStream {
  if (!tokensPerSecond) return yield [{ type: "text", text }];
  for (const token of tokensOf(text)) {
    await pause(1000 / tokensPerSecond, signal);
    yield [{ type: "text", text: token }];
  }
}

/** Words with the white space before them. */
export const tokensOf = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [text];

/** @throws if the signal is aborted before the time has passed */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (milliseconds > 0)
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new Error("stopped"));
      });
    });
}
