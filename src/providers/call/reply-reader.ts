/**
 * Puts a reply together from what a provider sends, by one rule for every format: a reply is whole only if the answer was
 * understood as a whole. What is not understood is passed over only in an answer that has a text and a finish reason
 * without it, and is noted; otherwise it is the reason why the reply has failed. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { FinishReason, Usage } from "../../core/message.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailure } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { finishMeaning } from "./finish-reasons.ts";
import type { FinishMeaning } from "./finish-reasons.ts";
import { isObject, stringOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";
import { describeError, errorIn, failureInStream, isWebPage, plainText, readsLikeError } from "./provider-error.ts";
import type { ProviderError } from "./provider-error.ts";
import { looksLikeJson } from "../../net/sse.ts";
import type { ServerSentEvent } from "../../net/sse.ts";

/** The longest words of a provider's that are kept of an id, a model or a finish reason, in characters. */
const MAX_NAME_CHARACTERS = 200;

/** What one piece of an answer says. A field that is absent says nothing. */
export interface ChunkFacts {
  id?: string | null;
  /** The model that answers. */
  model?: string | null;
  text?: string;
  /** The provider's own word. */
  finishReason?: string | null;
  /** Whether a content filter blocked the prompt: the word then says why. */
  isBlocked?: boolean;
  /** Counts for the whole reply so far. */
  usage?: Usage | null;
  /** Whether it holds reasoning, which is not part of the text. */
  hasReasoning?: boolean;
  /** Whether it calls a tool. */
  callsTool?: boolean;
  /** Whether it holds words in a place that is not known. */
  isStrange?: boolean;
  /** Whether it is the format's terminal marker. */
  isLast?: boolean;
  error?: ProviderError | null;
}

/** How the answers of one format are read. */
export interface AnswerFormat {
  /** Whether `[DONE]` is its terminal marker. */
  endsWithDone: boolean;
  /**
   * Reads one reply's pieces in their order. Answers `null` for a document that is not of the format.
   *
   * @param sent the params that were sent
   * @throws BadChunk for a text that is none
   */
  open(sent: Record<string, unknown>): (document: JsonObject) => ChunkFacts | null;
}

/** A piece whose text cannot be read. */
export class BadChunk extends Error {}

/** A text as a provider may send it: some send a token that looks like a number as one. @throws BadChunk */
export function readText(value: unknown): string {
  if (value == null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new BadChunk();
}

const KEEP_ALIVE = /^(null|:.*|\[?(ping|heartbeat|keep-?alive)\]?)?$/is;

/** Reads one reply. */
export class ReplyReader {
  readonly #format: AnswerFormat;
  readonly #read: (document: JsonObject) => ChunkFacts | null;
  #id: string | null;
  #model: string | null = null;
  #finish: { reason: string; meaning: FinishMeaning } | null = null;
  #usage: Usage | null = null;
  #hasText = false;
  #hasReasoning = false;
  #callsTool = false;
  /** The first thing that was not understood. */
  #unrecognized: string | null = null;

  constructor(format: AnswerFormat, sent: Record<string, unknown>, requestId: string | null) {
    this.#format = format;
    this.#read = format.open(sent);
    this.#id = requestId;
  }

  /** Whether the provider has given a finish reason: nothing of the text is missing then. */
  get hasFinished(): boolean {
    return this.#finish !== null;
  }

  /** Reads a portion of events: its text in one piece, and the end or failure if there is one. */
  read(portion: ServerSentEvent[]): ReplyEvent[] {
    let text = "";
    let final: ReplyEvent | null = null;
    for (const event of portion) {
      for (const facts of this.#readEvent(event)) {
        text += facts.text ?? "";
        final = this.#addFacts(facts);
        if (final) break;
      }
      if (final) break;
    }
    return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...(final ? [final] : [])];
  }

  /** The end of an answer that has come to its end without a terminal marker. */
  close(): ReplyEnd | ReplyFailure {
    if (!this.#finish) {
      return this.#unrecognized === null
        ? this.#failure("incomplete_stream", "The answer ended before its format's terminal marker.")
        : this.#formatFailure();
    }
    return this.#end([]);
  }

  /** The end of an answer whose connection broke, or stays open behind the finish reason; `null` where text may be missing. */
  closeEarly(why: string): ReplyEnd | ReplyFailure | null {
    return this.#finish ? this.#end([why]) : null;
  }

  /** What an event says, document by document. */
  *#readEvent({ event, data }: ServerSentEvent): Generator<ChunkFacts & { done?: boolean }> {
    const text = data.trim();
    if (KEEP_ALIVE.test(text)) return;
    if (text === "[DONE]") return yield { done: true };
    const json = parseJson(text);
    if (json === undefined) return yield this.#readPlainText(text, event === "error");
    for (const document of Array.isArray(json) ? json : [json]) {
      if (isObject(document)) yield this.#readDocument(document, event === "error");
      else if (document !== null) yield this.#readPlainText(typeof json === "string" ? json : text, event === "error");
    }
  }

  #readDocument(document: JsonObject, isErrorEvent: boolean): ChunkFacts {
    const error = errorIn(document, isErrorEvent);
    if (error) return { error };
    try {
      const facts = this.#read(document);
      if (facts?.isStrange) this.#noteUnrecognized(JSON.stringify(document));
      if (facts) return facts;
    } catch (error_) {
      if (!(error_ instanceof BadChunk)) throw error_;
      return { error: CORRUPT_CHUNK };
    }
    if (readsLikeError(document)) return { error: describeError(document, {}) };
    if (Object.keys(document).length > 0) this.#noteUnrecognized(JSON.stringify(document));
    return {};
  }

  #noteUnrecognized(text: string): void {
    this.#unrecognized ??= text.slice(0, MAX_NAME_CHARACTERS);
  }

  /** A text in the place of a document: an error in plain words, half a document, or nothing that is known. */
  #readPlainText(text: string, isErrorEvent: boolean): ChunkFacts {
    if (!isErrorEvent && looksLikeJson(text)) return { error: CORRUPT_CHUNK };
    if (isErrorEvent || /^\W*(error|exception|failed|failure)\b/i.test(text)) {
      return { error: { message: plainText(text), status: null, retryAfterMs: null, isFiltered: false } };
    }
    this.#noteUnrecognized(isWebPage(text) ? `a web page, ${plainText(text)}` : plainText(text));
    return {};
  }

  /** Keeps what facts say of the whole reply. @returns its end, if this is one */
  #addFacts(facts: ChunkFacts & { done?: boolean }): ReplyEnd | ReplyFailure | null {
    this.#store(facts);
    if (facts.error === CORRUPT_CHUNK)
      return this.#failure("bad_chunk", "The provider sent a chunk that cannot be read.");
    if (facts.error) return failureInStream(facts.error, this.#id);
    this.#storeFinish(facts);
    const failing = this.#failureOfFinish();
    if (failing) return failing;
    if (facts.done) return this.#endOfDone();
    return facts.isLast ? this.#end([]) : null;
  }

  #store({ id, model, usage, text, hasReasoning, callsTool }: ChunkFacts): void {
    this.#id ??= truncate(id);
    this.#model ??= truncate(model);
    this.#usage = usage ? withPlausibleDetails(usage) : this.#usage;
    if (text) this.#hasText = true;
    if (hasReasoning) this.#hasReasoning = true;
    if (callsTool) this.#callsTool = true;
  }

  /** A reason that is not known does not take the place of one that is. */
  #storeFinish({ finishReason, isBlocked }: ChunkFacts): void {
    const reason = truncate(finishReason);
    const meaning = isBlocked ? "content_filter" : finishMeaning(reason ?? "");
    if (reason === null || meaning === null) return;
    if (meaning !== "other" || this.#finish === null) this.#finish = { reason, meaning };
  }

  #failureOfFinish(): ReplyFailure | null {
    if (!this.#finish || typeof this.#finish.meaning === "string") return null;
    const { reason, meaning } = this.#finish;
    const message = `The provider broke the reply off, with the finish reason ${reason}.`;
    return { ...this.#failure(meaning.fails, message), finishReasonRaw: reason };
  }

  #endOfDone(): ReplyEnd | ReplyFailure {
    const { endsWithDone } = this.#format;
    if (this.#finish) return this.#end([]);
    if (this.#unrecognized !== null) return this.#formatFailure();
    if (endsWithDone && (this.#hasText || this.#hasReasoning || this.#callsTool)) return this.#end([]);
    return this.#failure(
      "incomplete_stream",
      "The answer ended with [DONE] and holds neither text nor a finish reason.",
    );
  }

  #end(notes: string[]): ReplyEnd | ReplyFailure {
    const reason = this.#finishReason();
    const isExplained = this.#hasText || this.#hasReasoning || this.#callsTool || reason === "content_filter";
    if (this.#unrecognized !== null && !isExplained) return this.#formatFailure();
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

  /** What a reader of the reply should know of it. */
  #notes(): string[] {
    const remarks: string[] = [];
    if (this.#unrecognized !== null) remarks.push(`Ignored, because it is not in the format: ${this.#unrecognized}`);
    if (this.#callsTool) remarks.push("The model called a tool. Parley runs none.");
    else if (!this.#hasText) remarks.push(...this.#explainMissingText());
    return remarks;
  }

  /** Why there is no text, as far as it can be seen. */
  #explainMissingText(): string[] {
    const outputTokens = this.#usage?.outputTokens ?? 0;
    if (this.#hasReasoning) return ["The model sent reasoning and no text."];
    return outputTokens > 1 ? [`The provider counted ${outputTokens} output tokens and sent no text.`] : [];
  }

  #formatFailure(): ReplyFailure {
    return this.#failure("bad_chunk", `The provider sent something that is not in its format: ${this.#unrecognized}`);
  }

  #failure(code: ReplyErrorCode, message: string): ReplyFailure {
    return replyFailure(code, message, { providerRequestId: this.#id });
  }
}

const CORRUPT_CHUNK: ProviderError = { message: "", status: null, retryAfterMs: null, isFiltered: false };

/** Details that contradict the counts they are part of say nothing. */
function withPlausibleDetails({ cachedInputTokens, reasoningTokens, ...usage }: Usage): Usage {
  return {
    ...usage,
    ...(cachedInputTokens !== undefined && cachedInputTokens <= usage.inputTokens ? { cachedInputTokens } : {}),
    ...(reasoningTokens !== undefined && reasoningTokens <= usage.outputTokens ? { reasoningTokens } : {}),
  };
}

const notesIn = (notes: string[]): { notes?: string[] } => (notes.length > 0 ? { notes } : {});

const truncate = (reason: unknown): string | null => stringOf(reason)?.slice(0, MAX_NAME_CHARACTERS) ?? null;

/** `undefined` for a text that is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
