import type { EventSourceMessage } from "eventsource-parser";
import type * as z from "zod";
import type { FailureReason } from "../core/failure.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest, ReplyStream } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { TooLarge, postStream, requestIdOf } from "./post-stream.ts";
import type { Posted } from "./post-stream.ts";
import type { Provider } from "./provider.ts";
import { readParams } from "./provider.ts";

/** One reply's stream, read event by event. Holds what the format spreads over several events. */
export interface Reader {
  /** @throws BadChunk for data that is not of the format */
  read(event: EventSourceMessage): Iterable<{ type: "text"; text: string } | ReplyEnd | ReplyFailed>;
}

/** How long the end of an answer is awaited behind its terminal marker, in milliseconds. */
const LINGER_MS = 20;

/** A chunk that is not of its format. */
class BadChunk extends Error {}

/** @throws BadChunk for data that is no JSON, or not of the schema */
export function parseEvent<S extends z.ZodType>(schema: S, data: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(data));
  } catch {
    throw new BadChunk();
  }
}

/** A vendor's wire format over HTTP and server-sent events. */
export interface WireFormat {
  defaultUri: string | null;
  post(request: ReplyRequest, sent: Record<string, unknown>): Posted;
  /** @param requestId what the provider's headers call the request */
  reader(requestId: string | null): Reader;
}

/** The longest reply that is kept, in UTF-16 code units: with its prompt it must fit in a row of 2 MB. */
const MAX_REPLY = 400_000;

/** A provider that is asked over HTTP in a format. A stream without the format's terminal marker is a failure. */
export const overHttp = (format: WireFormat): Provider => ({
  defaultUri: format.defaultUri,
  async *ask(request, signal) {
    const { sent, timeoutMs } = readParams(request.params);
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, deadline]);
    const broken = (last: ReplyFailed): ReplyFailed => (deadline.aborted ? timedOut(timeoutMs) : last);
    const streamed = await postStream(format.post(request, sent), either, request.privateAllowed);
    if ("failed" in streamed) return yield [broken(streamed.failed)];
    const providerRequestId = requestIdOf(streamed.headers);
    const unlucky = (code: FailureReason, message: string) => replyFailed(code, message, { providerRequestId });
    try {
      yield* readReply(streamed.events, format.reader(providerRequestId), unlucky);
    } catch (error) {
      if (error instanceof TooLarge) return yield [unlucky("refused_by_guard", error.message)];
      yield [broken(unlucky("connection_lost", "The connection broke in the middle of the reply."))];
    }
  },
});

export const timedOut = (timeoutMs: number): ReplyFailed =>
  replyFailed("provider_timeout", `The whole reply took longer than ${timeoutMs} ms (timeout_ms).`);

type Unlucky = (code: FailureReason, message: string) => ReplyFailed;

/** Ends at the first end or failure, and makes a failure of a stream that has neither or is too long. */
async function* readReply(
  portions: AsyncGenerator<EventSourceMessage[], void>,
  reader: Reader,
  unlucky: Unlucky,
): ReplyStream {
  let characters = 0;
  for await (const portion of portions) {
    const events = readPortion(portion, reader, unlucky);
    characters += textIn(events);
    if (characters > MAX_REPLY)
      return yield [unlucky("refused_by_guard", `The reply is longer than ${MAX_REPLY} characters.`)];
    const over = events.some(({ type }) => type !== "text");
    // A connection whose answer was read to its end serves the next call too.
    if (over) await Promise.race([portions.next(), new Promise((resolve) => setTimeout(resolve, LINGER_MS))]);
    if (events.length > 0) yield events;
    if (over) return;
  }
  yield [unlucky("incomplete_stream", "The answer ended before its format's terminal marker.")];
}

const textIn = (events: ReplyEvent[]): number =>
  events.reduce((characters, event) => characters + (event.type === "text" ? event.text.length : 0), 0);

function readPortion(portion: EventSourceMessage[], reader: Reader, unlucky: Unlucky): ReplyEvent[] {
  let text = "";
  const joined = (last?: ReplyEvent): ReplyEvent[] => [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...(last ? [last] : []),
  ];
  for (const message of portion.filter(({ data }) => data !== "")) {
    try {
      for (const event of reader.read(message)) {
        if (event.type !== "text") return joined(event);
        text += event.text;
      }
    } catch (error) {
      if (!(error instanceof BadChunk)) throw error;
      return joined(unlucky("bad_chunk", "The provider sent a chunk that cannot be read."));
    }
  }
  return joined();
}
