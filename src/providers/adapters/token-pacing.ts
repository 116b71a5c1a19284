import type { ReplyStream } from "../../core/reply.ts";

/** Says a text: at once, or so many tokens a second. @throws when the signal is aborted before the end */
export async function* emitTokens(text: string, tokensPerSecond: number | null, signal: AbortSignal): ReplyStream {
  if (!tokensPerSecond) return yield [{ type: "text", text }];
  for (const token of tokensOf(text)) {
    await pause(1000 / tokensPerSecond, signal);
    yield [{ type: "text", text: token }];
  }
}

/** Words with the blanks before them. */
export const tokensOf = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [text];

/** @throws when the signal is aborted before the time is over */
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
