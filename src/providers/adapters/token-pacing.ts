/**
 * Sends a text token by token, for the connectors without a model (`echo.ts`, `eliza.ts`). Effects: timers.
 */
import type { ReplyStream } from "../../core/reply.ts";

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
