/**
 * Puts a reply together from what a provider sends, by one rule for every format: a reply is whole only if the answer was
 * understood as a whole. What is not understood is passed over only in an answer that has a text and a finish reason
 * without it, and is noted; otherwise it is the reason why the reply has failed. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { FinishReason, Usage } from "../../core/message.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailed } from "../../core/reply.ts";
import { replyFailed } from "../../core/reply.ts";
import { finishMeaning } from "./finish-reasons.ts";
import type { FinishMeaning } from "./finish-reasons.ts";
import { isObject, wordOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";
import { describeError, errorIn, failureInStream, isWebPage, plainWords, readsLikeError } from "./provider-error.ts";
import type { ProviderError } from "./provider-error.ts";
import { looksLikeJson } from "../../net/sse.ts";
import type { IncomingEvent } from "../../net/sse.ts";

/** The longest words of a provider's that are kept of an id, a model or a finish reason, in characters. */
const MAX_WORD = 200;

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

const NOTHING = /^(null|:.*|\[?(ping|heartbeat|keep-?alive)\]?)?$/is;

/** Reads one reply. */
export class ReplyReader {
  readonly #format: AnswerFormat;
  readonly #read: (document: JsonObject) => ChunkFacts | null;
  #id: string | null;
  #model: string | null = null;
  #finish: { word: string; meaning: FinishMeaning } | null = null;
  #usage: Usage | null = null;
  #hasText = false;
  #hasReasoning = false;
  #callsTool = false;
  /** The first thing that was not understood. */
  #strange: string | null = null;

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
  read(portion: IncomingEvent[]): ReplyEvent[] {
    let text = "";
    let last: ReplyEvent | null = null;
    for (const event of portion) {
      for (const facts of this.#factsOf(event)) {
        text += facts.text ?? "";
        last = this.#note(facts);
        if (last) break;
      }
      if (last) break;
    }
    return [...(text === "" ? [] : [{ type: "text" as const, text }]), ...(last ? [last] : [])];
  }

  /** The end of an answer that has come to its end without a terminal marker. */
  close(): ReplyEnd | ReplyFailed {
    if (!this.#finish) {
      return this.#strange === null
        ? this.#failed("incomplete_stream", "The answer ended before its format's terminal marker.")
        : this.#misunderstood();
    }
    return this.#ended([]);
  }

  /** The end of an answer whose connection broke, or stays open behind the finish reason; `null` where text may be missing. */
  closeEarly(why: string): ReplyEnd | ReplyFailed | null {
    return this.#finish ? this.#ended([why]) : null;
  }

  /** What an event says, document by document. */
  *#factsOf({ event, data }: IncomingEvent): Generator<ChunkFacts & { done?: boolean }> {
    const text = data.trim();
    if (NOTHING.test(text)) return;
    if (text === "[DONE]") return yield { done: true };
    const json = parsed(text);
    if (json === undefined) return yield this.#plain(text, event === "error");
    for (const document of Array.isArray(json) ? json : [json]) {
      if (isObject(document)) yield this.#factsIn(document, event === "error");
      else if (document !== null) yield this.#plain(typeof json === "string" ? json : text, event === "error");
    }
  }

  #factsIn(document: JsonObject, isErrorEvent: boolean): ChunkFacts {
    const error = errorIn(document, isErrorEvent);
    if (error) return { error };
    try {
      const facts = this.#read(document);
      if (facts?.isStrange) this.#passOver(JSON.stringify(document));
      if (facts) return facts;
    } catch (error_) {
      if (!(error_ instanceof BadChunk)) throw error_;
      return { error: CORRUPT };
    }
    if (readsLikeError(document)) return { error: describeError(document, {}) };
    if (Object.keys(document).length > 0) this.#passOver(JSON.stringify(document));
    return {};
  }

  #passOver(text: string): void {
    this.#strange ??= text.slice(0, MAX_WORD);
  }

  /** A text in the place of a document: an error in plain words, half a document, or nothing that is known. */
  #plain(text: string, isErrorEvent: boolean): ChunkFacts {
    if (!isErrorEvent && looksLikeJson(text)) return { error: CORRUPT };
    if (isErrorEvent || /^\W*(error|exception|failed|failure)\b/i.test(text)) {
      return { error: { words: plainWords(text), status: null, retryAfterMs: null, isFiltered: false } };
    }
    this.#passOver(isWebPage(text) ? `a web page, ${plainWords(text)}` : plainWords(text));
    return {};
  }

  /** Keeps what facts say of the whole reply. @returns its end, if this is one */
  #note(facts: ChunkFacts & { done?: boolean }): ReplyEnd | ReplyFailed | null {
    this.#keep(facts);
    if (facts.error === CORRUPT) return this.#failed("bad_chunk", "The provider sent a chunk that cannot be read.");
    if (facts.error) return failureInStream(facts.error, this.#id);
    this.#noteFinish(facts);
    const failing = this.#failedFinish();
    if (failing) return failing;
    if (facts.done) return this.#done();
    return facts.isLast ? this.#ended([]) : null;
  }

  #keep({ id, model, usage, text, hasReasoning, callsTool }: ChunkFacts): void {
    this.#id ??= cut(id);
    this.#model ??= cut(model);
    this.#usage = usage ? sensible(usage) : this.#usage;
    if (text) this.#hasText = true;
    if (hasReasoning) this.#hasReasoning = true;
    if (callsTool) this.#callsTool = true;
  }

  /** A reason that is not known does not take the place of one that is. */
  #noteFinish({ finishReason, isBlocked }: ChunkFacts): void {
    const word = cut(finishReason);
    const meaning = isBlocked ? "content_filter" : finishMeaning(word ?? "");
    if (word === null || meaning === null) return;
    if (meaning !== "other" || this.#finish === null) this.#finish = { word, meaning };
  }

  #failedFinish(): ReplyFailed | null {
    if (!this.#finish || typeof this.#finish.meaning === "string") return null;
    const { word, meaning } = this.#finish;
    const message = `The provider broke the reply off, with the finish reason ${word}.`;
    return { ...this.#failed(meaning.fails, message), finishReasonRaw: word };
  }

  #done(): ReplyEnd | ReplyFailed {
    const { endsWithDone } = this.#format;
    if (this.#finish) return this.#ended([]);
    if (this.#strange !== null) return this.#misunderstood();
    if (endsWithDone && (this.#hasText || this.#hasReasoning || this.#callsTool)) return this.#ended([]);
    return this.#failed(
      "incomplete_stream",
      "The answer ended with [DONE] and holds neither text nor a finish reason.",
    );
  }

  #ended(notes: string[]): ReplyEnd | ReplyFailed {
    const reason = this.#finishReason();
    const isExplained = this.#hasText || this.#hasReasoning || this.#callsTool || reason === "content_filter";
    if (this.#strange !== null && !isExplained) return this.#misunderstood();
    return {
      type: "end",
      finishReason: reason,
      ...(this.#finish ? { finishReasonRaw: this.#finish.word } : {}),
      ...notesIn([...notes, ...this.#remarks()]),
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
  #remarks(): string[] {
    const remarks: string[] = [];
    if (this.#strange !== null) remarks.push(`Ignored, because it is not in the format: ${this.#strange}`);
    if (this.#callsTool) remarks.push("The model called a tool. Parley runs none.");
    else if (!this.#hasText) remarks.push(...this.#silence());
    return remarks;
  }

  /** Why there is no text, as far as it can be seen. */
  #silence(): string[] {
    const outputTokens = this.#usage?.outputTokens ?? 0;
    if (this.#hasReasoning) return ["The model sent reasoning and no text."];
    return outputTokens > 1 ? [`The provider counted ${outputTokens} output tokens and sent no text.`] : [];
  }

  #misunderstood(): ReplyFailed {
    return this.#failed("bad_chunk", `The provider sent something that is not in its format: ${this.#strange}`);
  }

  #failed(code: ReplyErrorCode, message: string): ReplyFailed {
    return replyFailed(code, message, { providerRequestId: this.#id });
  }
}

const CORRUPT: ProviderError = { words: "", status: null, retryAfterMs: null, isFiltered: false };

/** Details that contradict the counts they are part of say nothing. */
function sensible({ cachedInputTokens, reasoningTokens, ...usage }: Usage): Usage {
  return {
    ...usage,
    ...(cachedInputTokens !== undefined && cachedInputTokens <= usage.inputTokens ? { cachedInputTokens } : {}),
    ...(reasoningTokens !== undefined && reasoningTokens <= usage.outputTokens ? { reasoningTokens } : {}),
  };
}

const notesIn = (notes: string[]): { notes?: string[] } => (notes.length > 0 ? { notes } : {});

const cut = (word: unknown): string | null => wordOf(word)?.slice(0, MAX_WORD) ?? null;

/** `undefined` for a text that is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
