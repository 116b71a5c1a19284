import { exports } from "cloudflare:workers";
import type { ReplyEvent, ReplyRequest } from "../core/reply.ts";

/**
 * Asks an endpoint in an invocation of its own and tells what comes back. Once the signal is aborted the provider's
 * request is aborted too, and the events end.
 */
export async function* askEndpoint(request: ReplyRequest, signal: AbortSignal): AsyncGenerator<ReplyEvent> {
  if (signal.aborted) return;
  const stream = await exports.ReplyCaller.ask(request);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop);
  try {
    let rest = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + chunk.value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as ReplyEvent;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel().catch(() => undefined);
  }
}
