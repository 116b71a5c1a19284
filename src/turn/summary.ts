/**
 * Asks for summaries: what is sent to summarise a part of a conversation, and the order of the calls. Which part that is
 * belongs to `fit-context.ts`, and calling the endpoint to `live/turns`. Pure.
 */
import type { Prices } from "../core/endpoint.ts";
import type { ReplyError } from "../core/message.ts";
import type { ReplyRequest } from "../core/reply.ts";
import type { PastMessage, Summary } from "./fit-context.ts";

/** Calls for the summary of one turn. They are made one after another, while somebody waits for a reply. */
export const MAX_SUMMARY_CALLS = 16;

/** How much of a conversation is read to be summarised in one turn, in characters. */
export const MAX_SUMMARISED_CHARACTERS = 4_000_000;

/** About how many characters a word has, with the space behind it. */
const CHARACTERS_PER_WORD = 6;

/** What is to be summarised, and by whom. */
export interface SummaryTask {
  endpointId: string;
  prices: Prices | null;
  /** What the first call continues; `null` for nothing. */
  previous: Summary | null;
  messages: Transcript;
  /** The longest request of a call, without its instruction, in characters. */
  maxText: number;
  /** The longest summary, in characters. What is longer is cut. */
  maxSummary: number;
  /** The request of a call, or why there can be none. */
  requestFor: (text: string) => ReplyRequest | { error: ReplyError };
}

/** @param maxCharacters the longest summary */
export const instructionFor = (maxCharacters: number): string =>
  `Summarize this conversation in at most ${Math.max(10, Math.floor(maxCharacters / CHARACTERS_PER_WORD))} words, for the assistant who continues it. Keep names, facts, decisions and open questions. Answer with the summary only.`;

/** What a call sends before a part of the conversation. */
export const textBefore = (previous: string | null): string =>
  previous === null ? "" : `Summary so far:\n${previous}\n\nThen:\n`;

const SEPARATOR = "\n\n";

/** Messages to summarise, divided into parts as they are asked for. */
export class Transcript {
  /** Oldest first, each with the beginning that is not taken yet cut off. */
  readonly #rest: { seq: number; text: string }[];
  #upTo: number;

  /** @param after the `seq` of the message before the first one */
  constructor(messages: PastMessage[], after: number) {
    this.#rest = messages.map(({ seq, role, content }) => ({ seq, text: `${role}: ${content}` }));
    this.#upTo = after;
  }

  /**
   * Takes the next part. A message that is longer than a part is divided too.
   *
   * @param size the most characters
   * @returns the text, and the last message that is now complete; `null` if nothing is left, or if the size is too small
   */
  take(size: number): Summary | null {
    let text = "";
    for (let first = this.#rest[0]; first; first = this.#rest[0]) {
      const room = size - text.length - (text === "" ? 0 : SEPARATOR.length);
      if (first.text.length > room) break;
      text = text === "" ? first.text : text + SEPARATOR + first.text;
      this.#upTo = first.seq;
      this.#rest.shift();
    }
    if (text === "") text = this.#cut(size);
    return text === "" ? null : { text, upTo: this.#upTo };
  }

  #cut(size: number): string {
    const [first] = this.#rest;
    if (!first || size < MIN_PART_CHARACTERS) return "";
    const text = first.text.slice(0, size).toWellFormed();
    first.text = first.text.slice(size);
    return text;
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }
}

/** Smaller parts of a message are not worth a call. */
const MIN_PART_CHARACTERS = 100;
