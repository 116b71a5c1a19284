import type { EventSourceMessage } from "eventsource-parser";
import type * as z from "zod";
import type { ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest, ReplyStream } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { TooLarge, postStream, requestIdOf } from "./post-stream.ts";
import type { Posted } from "./post-stream.ts";
import type { Call, Provider, World } from "./provider.ts";
import { DEFAULT_MAX_ATTEMPTS } from "./provider.ts";

/** One reply's stream, read event by event. Holds what the format spreads over several events. */
export interface Reader {
  /** @throws BadChunk for data that is not of the format */
  read(event: EventSourceMessage): Iterable<{ type: "text"; text: string } | ReplyEnd | ReplyFailed>;
  /** The end of a format whose terminal marker may be followed by more, once the stream is over. */
  close?(): ReplyEnd | null;
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

/** What is sent in a format. */
export interface Sent {
  url: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  model: string;
}

/** A vendor's wire format over HTTP and server-sent events. */
export interface WireFormat extends Pick<Provider, "defaultUri" | "required" | "optional" | "params"> {
  post(request: ReplyRequest, sent: Record<string, unknown>): Sent;
  /** @param requestId what the provider's headers call the request */
  reader(requestId: string | null): Reader;
  /** Whether a refusal, of which the text is given, is that of a content filter: an answer rather than an error. */
  isFiltered?(said: string): boolean;
}

/** The longest reply that is kept, in UTF-16 code units: with its prompt it must fit in a row of 2 MB. */
const MAX_REPLY = 400_000;

/** A provider that is asked over HTTP in a format. A stream without the format's terminal marker is a failure. */
export const overHttp = (format: WireFormat): Provider => ({
  defaultUri: format.defaultUri,
  required: format.required,
  optional: format.optional,
  params: format.params,
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  prepare({ request, sent, world }): Call {
    const { url, headers, body, model } = format.post(request, sent);
    const text = JSON.stringify(body);
    const posted: Posted = { url, headers, body: text, secret: request.token };
    return { url, body: text, model, make: (signal) => ask(format, posted, signal, world) };
  },
});

async function* ask(format: WireFormat, posted: Posted, signal: AbortSignal, { privateAllowed }: World): ReplyStream {
  const streamed = await postStream(posted, signal, privateAllowed);
  if ("failed" in streamed) {
    const { failed, said } = streamed;
    return yield [format.isFiltered?.(said) ? filtered(failed) : failed];
  }
  const providerRequestId = requestIdOf(streamed.headers);
  yield* readReply(streamed.events, format.reader(providerRequestId), providerRequestId);
}

/** Nothing was said, because a filter would not have it. */
const filtered = ({ providerRequestId }: ReplyFailed): ReplyEnd => ({
  type: "end",
  finishReason: "content_filter",
  model: null,
  usage: null,
  providerRequestId,
});

/**
 * Reads a reply off its events, to the first end or failure: a stream that has neither, is too long or breaks off has
 * failed. Never throws for what the provider did.
 */
export async function* readReply(
  portions: AsyncGenerator<EventSourceMessage[], void>,
  reader: Reader,
  providerRequestId: string | null,
): ReplyStream {
  const unlucky: Unlucky = (code, message, facts) => replyFailed(code, message, { providerRequestId, ...facts });
  let characters = 0;
  try {
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
    yield [reader.close?.() ?? unlucky("incomplete_stream", "The answer ended before its format's terminal marker.")];
  } catch (error) {
    if (error instanceof TooLarge) return yield [unlucky("refused_by_guard", error.message)];
    yield [
      unlucky("connection_lost", "The connection broke in the middle of the reply.", { again: { afterMs: null } }),
    ];
  }
}

type Unlucky = typeof replyFailed;

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
