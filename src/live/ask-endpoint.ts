import { exports } from "cloudflare:workers";
import type { ReplyEvent, ReplyRequest, ReplyStream } from "../core/reply.ts";

/**
 * Asks an endpoint in an invocation of its own and tells what comes back. Once the signal is aborted the provider's
 * request is aborted too, and the reply ends without an end event.
 */
export async function* askEndpoint(request: ReplyRequest, signal: AbortSignal): ReplyStream {
  if (signal.aborted) return;
  const stream = await exports.ReplyCaller.ask(request);
  const reader = stream.getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop);
  const decoder = new TextDecoder();
  try {
    let rest = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + decoder.decode(chunk.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const portion = JSON.parse(line) as ReplyEvent[];
        // Nothing comes behind the end but the end of the stream: once read, there is nothing to cancel.
        if (portion.at(-1)?.type !== "text") await reader.read();
        yield portion;
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel().catch(() => undefined);
  }
}
