/**
 * Builds a reply from a provider's events, with one rule for all formats: a reply is complete only if the whole
 * response was understood. Unrecognized content is ignored, with a note in the receipt, only if the response has text
 * and a finish reason without it. Otherwise the reply fails. Formats are in `adapters/`. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { FinishReason, Usage } from "../../core/message.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailure } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { KEEP_ALIVE, innerTexts, parseJson } from "./event-data.ts";
import { finishMeaning } from "./finish-reasons.ts";
import type { FinishMeaning } from "./finish-reasons.ts";
import { isObject, stringOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";
import { describeError, findError, plainText, readsLikeError, textReadsLikeError } from "./find-provider-error.ts";
import { failureInStream } from "./provider-error.ts";
import type { ProviderError } from "./provider-error.ts";
import { looksLikeJson } from "../../net/sse.ts";
import type { ServerSentEvent } from "../../net/sse.ts";

/** How much of a text or a name is kept, in characters. It is cut again after secrets are masked. */
const MAX_NOTE_CHARACTERS = 2_000;

/** The content of one chunk. An absent field has no information. */
export interface ChunkContent {
  id?: string | null;
  /** The model that replies. */
  model?: string | null;
  text?: string;
  /** The provider's own finish reason. */
  finishReason?: string | null;
  /** Whether a content filter blocked the prompt. The finish reason is the filter's reason then. */
  isBlocked?: boolean;
  /** Counts for the whole reply so far. */
  usage?: Usage | null;
  /** Whether the chunk has reasoning, which is not part of the text. */
  hasReasoning?: boolean;
  /** Whether the chunk calls a tool. */
  callsTool?: boolean;
  /** Whether the chunk has text in an unknown field. */
  isUnrecognized?: boolean;
  /** Whether the chunk is the format's terminal marker. */
  isLast?: boolean;
  error?: ProviderError | null;
  /** The text of a chunk that cannot be read. */
  corrupt?: string;
}

/** The content of an event: of a chunk, or the marker `[DONE]`. */
type EventContent = ChunkContent & { done?: boolean };

/** How responses of one format are read. */
export interface ResponseFormat {
  /** Whether `[DONE]` is the terminal marker. */
  endsWithDone: boolean;
  /**
   * Creates a reader for the chunks of one reply, in their order. It returns `null` for a document of another format.
   *
   * @throws BadChunk for a text of an unexpected type
   */
  createReader(): (document: JsonObject) => ChunkContent | null;
}

/** A chunk whose text cannot be read. */
export class BadChunk extends Error {}

/** Reads a text. Some servers send a token that looks like a number as a number. @throws BadChunk */
export function readText(value: unknown): string {
  if (value == null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new BadChunk();
}

/** Reads one reply. */
export class ReplyReader {
  readonly #format: ResponseFormat;
  readonly #read: (document: JsonObject) => ChunkContent | null;
  readonly #retryAfterMs: number | null;
  readonly #onModel: (model: string) => void;
  #id: string | null;
  #model: string | null = null;
  #finish: { reason: string; meaning: FinishMeaning } | null = null;
  #usage: Usage | null = null;
  #hasText = false;
  #hasReasoning = false;
  #callsTool = false;
  /** The first content that was not recognized. */
  #unrecognized: string | null = null;
  /** The beginning of an event in whose middle the response ended. */
  #fragment: string | null = null;

  /**
   * @param retryAfterMs the wait that the response's headers request
   * @param onModel gets the model's name once the response has named it
   */
  constructor(
    format: ResponseFormat,
    requestId: string | null,
    retryAfterMs: number | null = null,
    onModel: (model: string) => void = () => undefined,
  ) {
    this.#format = format;
    this.#read = format.createReader();
    this.#id = requestId;
    this.#retryAfterMs = retryAfterMs;
    this.#onModel = onModel;
  }

  /** Whether the provider has sent a finish reason. The text is complete then. */
  get hasFinished(): boolean {
    return this.#finish !== null;
  }

  /** Reads a portion of events. Returns its text as one event, and the end or failure if there is one. */
  read(portion: ServerSentEvent[]): ReplyEvent[] {
    let text = "";
    let final: ReplyEvent | null = null;
    for (const event of portion) {
      for (const content of this.#readEvent(event)) {
        text += content.text ?? "";
        final = this.#addContent(content);
        if (final) break;
      }
      if (final) break;
    }
    return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...(final ? [final] : [])];
  }

  /** Ends a response without a terminal marker. */
  close(): ReplyEnd | ReplyFailure {
    if (!this.#finish) {
      return this.#unrecognized === null
        ? this.#failure("incomplete_stream", "The response ended before its terminal marker.")
        : this.#formatFailure();
    }
    return this.#end([]);
  }

  /** Ends a response whose connection broke, or stays open after the finish reason; `null` if text may be missing. */
  closeEarly(note: string): ReplyEnd | ReplyFailure | null {
    return this.#finish ? this.#end([note]) : null;
  }

  /** Reads an event. One with several documents is read document by document: the first of them may end the reply. */
  #readEvent({ event, data, isIncomplete }: ServerSentEvent): Iterable<EventContent> {
    const text = data.trim();
    if (KEEP_ALIVE.test(text)) return [];
    if (!isIncomplete) return text === "[DONE]" ? [{ done: true }] : this.#readText(text, event);
    this.#fragment = text;
    return [];
  }

  #readText(text: string, event: string | undefined): Iterable<EventContent> {
    const json = parseJson(text);
    const inner = innerTexts(json, text);
    if (inner.length > 0) return this.#readInner(inner, event);
    const isErrorEvent = event === "error";
    if (json === undefined) return [this.#readPlainText(text, isErrorEvent)];
    return Array.isArray(json) ? this.#readList(json, text, isErrorEvent) : [this.#readValue(json, text, isErrorEvent)];
  }

  *#readInner(inner: string[], event: string | undefined): Generator<EventContent> {
    for (const data of inner) yield* this.#readEvent({ event, data });
  }

  *#readList(list: unknown[], text: string, isErrorEvent: boolean): Generator<EventContent> {
    for (const value of list) yield this.#readValue(value, text, isErrorEvent);
  }

  #readValue(value: unknown, text: string, isErrorEvent: boolean): ChunkContent {
    if (isObject(value)) return this.#readDocument(value, text, isErrorEvent);
    return value === null ? {} : this.#readPlainText(text, isErrorEvent);
  }

  /** @param text the document as it was sent */
  #readDocument(document: JsonObject, text: string, isErrorEvent: boolean): ChunkContent {
    const error = findError(document, isErrorEvent);
    if (error) return { error };
    try {
      const content = this.#read(document);
      if (content?.isUnrecognized) this.#noteUnrecognized(text);
      if (content) return content;
    } catch (error_) {
      if (!(error_ instanceof BadChunk)) throw error_;
      return { corrupt: text };
    }
    if (readsLikeError(document)) return { error: describeError(document, {}) };
    if (Object.keys(document).length > 0) this.#noteUnrecognized(text);
    return {};
  }

  #noteUnrecognized(text: string): void {
    this.#unrecognized ??= text.slice(0, MAX_NOTE_CHARACTERS);
  }

  /** Reads a text instead of a document: an error message, an incomplete document, or unrecognized content. */
  #readPlainText(text: string, isErrorEvent: boolean): ChunkContent {
    if (!isErrorEvent && looksLikeJson(text)) return { corrupt: text };
    if (isErrorEvent || textReadsLikeError(text)) {
      return { error: { message: plainText(text), status: null, retryAfterMs: null, isFiltered: false } };
    }
    this.#noteUnrecognized(plainText(text));
    return {};
  }

  /** Adds the content of a chunk to the reply. @returns the end or failure if this chunk ends the reply */
  #addContent(content: EventContent): ReplyEnd | ReplyFailure | null {
    this.#store(content);
    if (content.corrupt !== undefined)
      return this.#failure("bad_chunk", `The provider sent a chunk that cannot be read: ${content.corrupt}`);
    if (content.error) {
      const retryAfterMs = content.error.retryAfterMs ?? this.#retryAfterMs;
      return failureInStream({ ...content.error, retryAfterMs }, this.#id);
    }
    this.#storeFinish(content);
    const failure = this.#failureOfFinish();
    if (failure) return failure;
    if (content.done) return this.#endOfDone();
    return content.isLast ? this.#end([]) : null;
  }

  #store({ id, model, usage, text, hasReasoning, callsTool }: ChunkContent): void {
    this.#id ??= truncate(id);
    if (this.#model === null) this.#storeModel(truncate(model));
    this.#usage = usage ? withPlausibleDetails(usage) : this.#usage;
    if (text) this.#hasText = true;
    if (hasReasoning) this.#hasReasoning = true;
    if (callsTool) this.#callsTool = true;
  }

  #storeModel(model: string | null): void {
    this.#model = model;
    if (model !== null) this.#onModel(model);
  }

  /** An unknown reason does not replace a known one. */
  #storeFinish({ finishReason, isBlocked }: ChunkContent): void {
    const reason = truncate(finishReason);
    const meaning = isBlocked ? "content_filter" : finishMeaning(reason ?? "");
    if (reason === null || meaning === null) return;
    if (meaning !== "other" || this.#finish === null) this.#finish = { reason, meaning };
  }

  #failureOfFinish(): ReplyFailure | null {
    if (!this.#finish || typeof this.#finish.meaning === "string") return null;
    const { reason, meaning } = this.#finish;
    const message = `The provider ended the reply with the finish reason ${reason}.`;
    return { ...this.#failure(meaning.errorCode, message), finishReasonRaw: reason };
  }

  #endOfDone(): ReplyEnd | ReplyFailure {
    const { endsWithDone } = this.#format;
    if (this.#finish) return this.#end([]);
    if (this.#unrecognized !== null) return this.#formatFailure();
    if (endsWithDone && (this.#hasText || this.#hasReasoning || this.#callsTool)) return this.#end([]);
    return this.#failure(
      "incomplete_stream",
      "The response ended with [DONE] but has neither text nor a finish reason.",
    );
  }

  #end(notes: string[]): ReplyEnd | ReplyFailure {
    const reason = this.#finishReason();
    const hasContent = this.#hasText || this.#hasReasoning || this.#callsTool || reason === "content_filter";
    if (this.#unrecognized !== null && !hasContent) return this.#formatFailure();
    return {
      type: "end",
      finishReason: reason,
      ...(this.#finish ? { finishReasonRaw: this.#finish.reason } : {}),
      ...notesIn([...notes, ...this.#notes()]),
      model: this.#model,
      usage: this.#usage,
      providerRequestId: this.#id,
    };
  }

  #finishReason(): FinishReason {
    const meaning = this.#finish?.meaning ?? "stop";
    const reason = typeof meaning === "string" ? meaning : "error";
    return reason === "stop" && this.#callsTool ? "tool_calls" : reason;
  }

  /** Notes for the reader of a receipt. */
  #notes(): string[] {
    const notes: string[] = [];
    if (this.#unrecognized !== null) notes.push(`Ignored, because it is not in the format: ${this.#unrecognized}`);
    if (this.#fragment !== null) notes.push(`The response ended in the middle of an event: ${this.#fragment}`);
    if (this.#callsTool) notes.push("The model called a tool. Parley does not run tools.");
    else if (!this.#hasText) notes.push(...this.#explainMissingText());
    return notes;
  }

  /** Why there is no text, as far as the response shows. */
  #explainMissingText(): string[] {
    const outputTokens = this.#usage?.outputTokens ?? 0;
    if (this.#hasReasoning) return ["The model sent reasoning and no text."];
    return outputTokens > 1 ? [`The provider counted ${outputTokens} output tokens and sent no text.`] : [];
  }

  #formatFailure(): ReplyFailure {
    return this.#failure("bad_chunk", `The provider sent content that is not in its format: ${this.#unrecognized}`);
  }

  #failure(code: ReplyErrorCode, message: string): ReplyFailure {
    return replyFailure(code, message, { providerRequestId: this.#id });
  }
}

/** Removes details that contradict the total they are part of. */
function withPlausibleDetails({ cachedInputTokens, reasoningTokens, ...usage }: Usage): Usage {
  return {
    ...usage,
    ...(cachedInputTokens !== undefined && cachedInputTokens <= usage.inputTokens ? { cachedInputTokens } : {}),
    ...(reasoningTokens !== undefined && reasoningTokens <= usage.outputTokens ? { reasoningTokens } : {}),
  };
}

const notesIn = (notes: string[]): { notes?: string[] } => (notes.length > 0 ? { notes } : {});

const truncate = (reason: unknown): string | null => stringOf(reason)?.slice(0, MAX_NOTE_CHARACTERS) ?? null;
