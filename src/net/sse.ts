/**
 * Reads the body of a provider's answer as a stream of events, whatever its content type says. What is not of the event
 * stream is passed on as well, as the data of events of its own: a whole JSON document, JSON by lines, an `error:` field,
 * plain text. What they mean is for the reader of the format.
 */
import { createParser } from "eventsource-parser";

/** The largest answer that is read, in bytes: a reply of the longest kind, in events of three characters, takes as much. */
const MAX_RESPONSE_BYTES = 67_108_864;

/** How much may come without an event, in bytes: comments that keep a connection open are short. */
const MAX_BYTES_WITHOUT_EVENT = 4_194_304;

/** Thrown out of a stream that brings more than is read. */
export class ResponseTooLarge extends Error {}

/** One event, or what stood in the place of one. */
export interface ServerSentEvent {
  /** What the stream calls it: `error` for one that tells an error. */
  event?: string | undefined;
  data: string;
}

/**
 * Events, in the portions in which they arrive. Lets go of the stream when the signal is aborted.
 *
 * @throws when the connection breaks, or TooLarge for a stream that is larger than it may be
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent[], void> {
  const decoder = new TextDecoder();
  const parser = new EventParser();
  let bytes = 0;
  let bytesSinceEvent = 0;
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      bytes += chunk.value.byteLength;
      bytesSinceEvent += chunk.value.byteLength;
      if (bytes > MAX_RESPONSE_BYTES)
        throw new ResponseTooLarge(`The answer is larger than ${MAX_RESPONSE_BYTES} bytes.`);
      if (bytesSinceEvent > MAX_BYTES_WITHOUT_EVENT)
        throw new ResponseTooLarge(`The answer brought ${MAX_BYTES_WITHOUT_EVENT} bytes without an event.`);
      const events = parser.feed(decoder.decode(chunk.value, { stream: true }));
      if (events.length === 0) continue;
      bytesSinceEvent = 0;
      yield events;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  const last = parser.finish(decoder.decode());
  if (last.length > 0) yield last;
}

/** Server-sent events, and what stands in their place. https://html.spec.whatwg.org/multipage/server-sent-events.html */
class EventParser {
  #events: ServerSentEvent[] = [];
  /** Lines that are not of the event stream. */
  #unframedLines: string[] = [];
  /** Whether they were not looked at as a whole yet: once is enough, and more often would take too long. */
  #mayBeComplete = true;
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      this.#flushUnframedLines();
      this.#events.push({ event, data });
    },
    onError: ({ type, field, value, line }) => {
      if (type !== "unknown-field") return;
      // llama.cpp names the field of an error so: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
      if (field === "error") this.#events.push({ event: "error", data: value ?? "" });
      else this.#addUnframedLine(line ?? "");
    },
  });

  feed(text: string): ServerSentEvent[] {
    this.#parser.feed(text);
    return this.#take();
  }

  /** The end of the body. An event that lacks its blank line counts, unless it is half a JSON text. */
  finish(text: string): ServerSentEvent[] {
    const whole = this.feed(text);
    this.#parser.feed("\n\n");
    this.#flushUnframedLines();
    const last = this.#take().filter(({ data }) => isComplete(data));
    return [...whole, ...last];
  }

  #take(): ServerSentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** A line that is JSON by itself is an event: some gateways leave out `data:`. Others are parts of a document. */
  #addUnframedLine(line: string): void {
    const isFirst = this.#unframedLines.length === 0;
    this.#unframedLines.push(line);
    // A document that is written over several lines ends at its first bracket that is not indented.
    if (isFirst ? isJson(line) : this.#mayBeComplete && /^[}\]]/.test(line)) {
      this.#mayBeComplete = false;
      if (isJson(this.#unframedLines.join("\n"))) this.#flushUnframedLines();
    }
  }

  #flushUnframedLines(): void {
    const data = this.#unframedLines.join("\n");
    this.#unframedLines = [];
    this.#mayBeComplete = true;
    if (data.trim() !== "") this.#events.push({ data });
  }
}

export const looksLikeJson = (text: string): boolean => /^\s*(\{|\[\s*[[{"\d\]])/.test(text);

const isComplete = (data: string): boolean => !looksLikeJson(data) || isJson(data);

function isJson(text: string): boolean {
  if (!looksLikeJson(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
