import type { EventSourceMessage } from "eventsource-parser/stream";
import type { ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { postStream, requestIdOf } from "./post-stream.ts";
import type { Posted } from "./post-stream.ts";
import type { Provider } from "./provider.ts";
import { readParams } from "./provider.ts";

/** One reply's stream, read event by event. Holds what the format spreads over several events. */
export interface Reader {
  /** @throws SyntaxError for data that is not the format's JSON */
  read(event: EventSourceMessage): Iterable<{ type: "text"; text: string } | ReplyEnd | ReplyFailed>;
}

/** A vendor's wire format over HTTP and server-sent events. */
export interface WireFormat {
  defaultUri: string | null;
  post(request: ReplyRequest, sent: Record<string, unknown>): Posted;
  /** @param requestId what the provider's headers call the request */
  reader(requestId: string | null): Reader;
}

/** The longest reply that is kept, in UTF-8 bytes: with its prompt it must fit in a row of the log. */
const MAX_REPLY_BYTES = 1_000_000;

/** A provider that is asked over HTTP in a format. A stream without the format's terminal marker is a failure. */
export const overHttp = (format: WireFormat): Provider => ({
  defaultUri: format.defaultUri,
  async *ask(request, signal) {
    const { sent, timeoutMs } = readParams(request.params);
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, deadline]);
    const broken = (last: ReplyFailed): ReplyFailed => (deadline.aborted ? timedOut(timeoutMs) : last);
    const streamed = await postStream(format.post(request, sent), either);
    if ("failed" in streamed) return yield broken(streamed.failed);
    const requestId = requestIdOf(streamed.headers);
    try {
      yield* capped(readEvents(streamed.events, format.reader(requestId)), requestId);
    } catch {
      yield broken(
        replyFailed("connection_lost", "The connection broke in the middle of the reply.", {
          providerRequestId: requestId,
        }),
      );
    }
  },
});

export const timedOut = (timeoutMs: number): ReplyFailed =>
  replyFailed("provider_timeout", `The whole reply took longer than ${timeoutMs} ms (timeout_ms).`);

async function* readEvents(events: ReadableStream<EventSourceMessage>, reader: Reader): AsyncGenerator<ReplyEvent> {
  for await (const event of events) {
    try {
      yield* reader.read(event);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      yield replyFailed("bad_chunk", "The provider sent a chunk that cannot be read.");
    }
  }
}

/** Ends at the first end or failure, and makes a failure of a stream that has neither or is too long. */
async function* capped(
  events: AsyncIterable<ReplyEvent>,
  providerRequestId: string | null,
): AsyncGenerator<ReplyEvent> {
  const encoder = new TextEncoder();
  let bytes = 0;
  for await (const event of events) {
    if (event.type !== "text") return yield event.type === "failed" ? { ...event, providerRequestId } : event;
    bytes += encoder.encode(event.text).length;
    if (bytes > MAX_REPLY_BYTES) {
      return yield replyFailed("refused_by_guard", `The reply is longer than ${MAX_REPLY_BYTES} bytes.`, {
        providerRequestId,
      });
    }
    yield event;
  }
  yield replyFailed("incomplete_stream", "The stream ended before its terminal marker.", { providerRequestId });
}
