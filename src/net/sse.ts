/**
 * Reads a provider's response body as server-sent events, whatever its content type is. Providers also send other
 * forms: a whole JSON document, JSON lines, an `error:` field, plain text. Each becomes the data of an event of its
 * own.
 * What an event means belongs to the reply reader (`providers/call/reply-reader.ts`). Effects: reads and cancels the
 * stream.
 */
import { createParser } from "eventsource-parser";

/** The largest response that is read, in bytes: as large as the longest reply sent in events of three characters. */
const MAX_RESPONSE_BYTES = 67_108_864;

/** The most bytes without an event. Comments that keep a connection open are short. */
const MAX_BYTES_WITHOUT_EVENT = 4_194_304;

/** How much is parsed before other work of the invocation can run, such as other replies, in characters. */
const CHARACTERS_PER_STEP = 32_768;

/** Thrown by a stream that is larger than the limits. */
export class ResponseTooLarge extends Error {}

/** One event, or a text in place of one. */
export interface ServerSentEvent {
  /** The event's name: `error` for an event that reports an error. */
  event?: string | undefined;
  data: string;
  /** Whether the response ended in the middle of it. */
  isIncomplete?: boolean;
}

/** Thrown by a stream that is not UTF-8, as the format demands. */
export class NotUtf8 extends Error {}

/**
 * Reads events, in the portions in which they arrive; a large chunk makes several. Cancels the stream if the signal is aborted.
 *
 * @throws if the connection breaks; NotUtf8; ResponseTooLarge if the response is larger than the limits
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent[], void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const parser = new EventParser();
  let bytes = 0;
  let bytesSinceEvent = 0;
  let charactersInStep = 0;
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      bytes += chunk.value.byteLength;
      bytesSinceEvent += chunk.value.byteLength;
      if (bytes > MAX_RESPONSE_BYTES)
        throw new ResponseTooLarge(`The response is larger than ${MAX_RESPONSE_BYTES} bytes.`);
      if (bytesSinceEvent > MAX_BYTES_WITHOUT_EVENT)
        throw new ResponseTooLarge(`The response sent ${MAX_BYTES_WITHOUT_EVENT} bytes without an event.`);
      for (const piece of piecesOf(decode(decoder, chunk.value))) {
        if (charactersInStep + piece.length > CHARACTERS_PER_STEP) {
          await runOtherWork();
          charactersInStep = 0;
        }
        charactersInStep += piece.length;
        const events = parser.feed(piece);
        if (events.length === 0) continue;
        bytesSinceEvent = 0;
        yield events;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  const last = parser.finish(decode(decoder));
  if (last.length > 0) yield last;
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; start += CHARACTERS_PER_STEP)
    yield text.slice(start, start + CHARACTERS_PER_STEP);
}

/** A timer, because a promise alone does not let timers and I/O run. */
const runOtherWork = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0);
  });

/** @throws NotUtf8 */
function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  } catch {
    throw new NotUtf8();
  }
}

/**
 * Parses server-sent events, and the other forms of events.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
class EventParser {
  #events: ServerSentEvent[] = [];
  #endsWithReturn = false;
  /** Lines outside the event stream format. */
  #unframedLines: string[] = [];
  /**
   * Whether the unframed lines may be a whole document. They are parsed as a whole once: more often would take
   * quadratic time.
   */
  #mayBeComplete = true;
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      this.#flushUnframedLines();
      this.#events.push({ event, data });
    },
    onError: ({ type, field, value, line }) => {
      if (type !== "unknown-field") return;
      // llama.cpp sends errors in a field named `error`: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
      if (field === "error") this.#events.push({ event: "error", data: value ?? "" });
      else this.#addUnframedLine(line ?? "");
    },
  });

  feed(text: string): ServerSentEvent[] {
    const { stackTraceLimit } = Error;
    // The parser makes an error for every line outside the format. With its stack, that takes ten times as long.
    Error.stackTraceLimit = 0;
    try {
      this.#parser.feed(this.#withLineFeeds(text));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    return this.#takeEvents();
  }

  /**
   * Makes every line end a line feed. The parser searches for both kinds from each line on, which takes quadratic time if
   * one of them is missing.
   */
  #withLineFeeds(text: string): string {
    if (text === "") return text;
    const rest = this.#endsWithReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#endsWithReturn = text.endsWith("\r");
    return rest.includes("\r") ? rest.replace(/\r\n?/g, "\n") : rest;
  }

  /** Ends the body. A last event without its blank line counts, and one that is half a JSON text is marked. */
  finish(text: string): ServerSentEvent[] {
    const complete = this.feed(text);
    this.#parser.feed("\n\n");
    this.#flushUnframedLines();
    const last = this.#takeEvents().map((event) => (isComplete(event.data) ? event : { ...event, isIncomplete: true }));
    return [...complete, ...last];
  }

  #takeEvents(): ServerSentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** A line that is JSON by itself is an event: some gateways omit `data:`. Other lines are parts of a document. */
  #addUnframedLine(line: string): void {
    const isFirst = this.#unframedLines.length === 0;
    this.#unframedLines.push(line);
    // A document of several lines ends at its first bracket that is not indented.
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
