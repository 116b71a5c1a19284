/**
 * Chooses which messages of a conversation a call sends, for a chatbot with `context`: the newest that fit, and what has to
 * be summarised before. The estimate of tokens is in `core/context.ts`, and making a summary in `summary.ts`. Pure.
 */
import type { ContextFacts, ContextSettings } from "../core/context.ts";
import { charactersFor, estimateTokens } from "../core/context.ts";
import type { SentContext } from "../core/message.ts";
import { readCallParams } from "../core/call-params.ts";
import type { ModelMessage, ReplyRequest } from "../core/reply.ts";

/** A message of the conversation before the prompt. */
export interface PastMessage extends ModelMessage {
  seq: number;
}

/** The conversation before the prompt. It is read as far as it is taken: it can be long. */
export interface PastMessages {
  count: number;
  /** Each call begins again with the newest. */
  newestFirst: () => Iterable<PastMessage>;
}

/** What stands for the beginning of a conversation. */
export interface Summary {
  text: string;
  /** The `seq` of the last message that it covers. */
  upTo: number;
}

/** What a call sends before the prompt. */
export interface ChosenHistory {
  summary: string | null;
  /** Oldest first. */
  messages: ModelMessage[];
  /** Whether they begin with the session's first message. */
  isComplete: boolean;
}

/** A choice, with what the reply's record says about it. */
export interface FittedHistory {
  history: ChosenHistory;
  sent: SentContext;
}

export interface FitInput {
  settings: ContextSettings;
  facts: ContextFacts;
  /** The most messages before the prompt. */
  maxMessages: number;
  past: PastMessages;
  /** Builds the request with a history. */
  build: (history: ChosenHistory) => ReplyRequest;
}

/** What is sent between two texts that become one, in characters at most. */
const SEPARATOR_LENGTH = 2;

/** Comes before a summary where it is sent. Its words show that the text is no instruction. */
const SUMMARY_HEADING = "Summary of the earlier conversation:\n";

/** The part of the context that a summary may have. */
const SUMMARY_PART = 1 / 4;

const NO_HISTORY: ChosenHistory = { summary: null, messages: [], isComplete: false };

/** The characters of all texts of a request: of its messages, and of params that are more than settings, such as tools. */
export function charactersOf({ messages, params }: ReplyRequest): number {
  const texts = Object.values(readCallParams(params).providerParams).filter(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
  );
  const inParams = texts.reduce<number>((total, text) => total + JSON.stringify(text).length, 0);
  return messages.reduce((total, { content }) => total + content.length, inParams);
}

/** Fits conversations into the context of a chatbot. */
export class ContextFitter {
  readonly #input: FitInput;
  /** What a call with history may have, in characters. */
  readonly #limit: number;
  /** What must be sent, in characters. */
  readonly #required: number;

  constructor(input: FitInput) {
    this.#input = input;
    this.#limit = charactersFor(input.settings.maxTokens, input.facts);
    this.#required = charactersOf(input.build(NO_HISTORY));
  }

  /** Whether what must be sent is too long. */
  get isTooSmall(): boolean {
    return this.#estimate(this.#required) > this.#input.settings.maxTokens;
  }

  /** The longest summary, in characters. */
  get maxSummaryCharacters(): number {
    return Math.max(0, this.#summaryRoom - SUMMARY_HEADING.length);
  }

  /** What a summary can take with its heading, in characters. */
  get #summaryRoom(): number {
    return Math.floor(this.#limit * SUMMARY_PART);
  }

  /** The longest request, in characters. */
  get maxCharacters(): number {
    return this.#limit;
  }

  /** Chooses the newest messages that fit beside a summary, back to where that ends. */
  fit(summary: Summary | null): FittedHistory & { isWhole: boolean } {
    const { past, maxMessages, settings } = this.#input;
    const room = Math.max(0, this.#limit - this.#required);
    // It can be from a time when the context was larger.
    const textRoom = Math.min(this.#summaryRoom, room - SEPARATOR_LENGTH);
    const text = summary && shortened(SUMMARY_HEADING + summary.text, textRoom);
    const characters = room - (text === null ? 0 : text.length + SEPARATOR_LENGTH);
    const window = newestWithin(past.newestFirst(), { characters, count: maxMessages, after: summary?.upTo ?? 0 });
    const isComplete = window.messages.length === past.count;
    const messages = isComplete ? window.messages : withoutAnswersAtStart(window.messages);
    const history = { summary: text, messages, isComplete };
    const sent = this.#shortenUntilItFits(history);
    const dropped = past.count - messages.length;
    const isSummarised = settings.keep === "summary" && maxMessages > 0;
    const isShortened = window.fullOf === "characters" || history.isComplete !== isComplete;
    const isTrimmed = dropped > 0 && (isShortened || isSummarised);
    return {
      history,
      sent: { ...sent, kept: messages.length + 1, dropped, isTrimmed },
      isWhole: window.fullOf === null,
    };
  }

  /**
   * The messages to summarise, oldest first: all but the newest that fill half of what is left beside the longest summary. So
   * the next ones are due only after some turns, and until then all calls begin with the same texts.
   *
   * @param maxCharacters how much can be summarised at once. What is older is not read.
   */
  toSummarise(after: number, maxCharacters: number): PastMessage[] {
    const { past, maxMessages } = this.#input;
    const room = Math.max(0, this.#limit - this.#required - this.#summaryRoom - SEPARATOR_LENGTH);
    const half = { characters: Math.floor(room / 2), count: Math.ceil(maxMessages / 2), after };
    const newestFirst = past.newestFirst()[Symbol.iterator]();
    const window = newestWithin(once(newestFirst), half);
    // The rest of the conversation must begin with a message of the user, or its first messages would not be sent.
    const firstUser = window.messages.findIndex(({ role }) => role === "user");
    const answers = firstUser === -1 ? window.messages : window.messages.slice(0, firstUser);
    const before = window.next === null ? [] : [window.next];
    const characters = maxCharacters - sum(answers) - sum(before);
    const older = newestWithin(once(newestFirst), { characters, count: Infinity, after });
    return [...older.messages, ...before, ...answers];
  }

  #estimate(characters: number): number {
    return estimateTokens(characters, this.#input.facts);
  }

  /** A provider that takes no message of the assistant first gets a greeting in other words. They can be longer. */
  #shortenUntilItFits(history: ChosenHistory): Pick<SentContext, "maxTokens" | "characters" | "estimatedTokens"> {
    const { build, settings } = this.#input;
    let characters = charactersOf(build(history));
    while (history.messages.length > 0 && characters > this.#limit) {
      history.messages.shift();
      history.isComplete = false;
      characters = charactersOf(build(history));
    }
    return { maxTokens: settings.maxTokens, characters, estimatedTokens: this.#estimate(characters) };
  }
}

interface Window {
  /** Oldest first. */
  messages: PastMessage[];
  /** Which limit has been reached; `null` if all messages fit. */
  fullOf: "characters" | "count" | null;
  /** The newest message that does not fit. */
  next: PastMessage | null;
}

/** The newest messages within limits, and after a `seq`. Reads one message more at most. */
function newestWithin(
  newestFirst: Iterable<PastMessage>,
  { characters, count, after }: { characters: number; count: number; after: number },
): Window {
  const messages: PastMessage[] = [];
  let used = 0;
  for (const message of newestFirst) {
    if (message.seq <= after) break;
    used += message.content.length + SEPARATOR_LENGTH;
    const fullOf = messages.length >= count ? "count" : "characters";
    if (fullOf === "count" || used > characters) return { messages: messages.toReversed(), fullOf, next: message };
    messages.push(message);
  }
  return { messages: messages.toReversed(), fullOf: null, next: null };
}

/** The rest of an iterator, which stays open when a loop over it ends. */
const once = <T>(iterator: Iterator<T>): Iterable<T> => ({
  [Symbol.iterator]: () => ({ next: () => iterator.next() }),
});

/** A conversation whose beginning is left out is sent from a message of the user on. */
function withoutAnswersAtStart(messages: PastMessage[]): PastMessage[] {
  const firstUser = messages.findIndex(({ role }) => role === "user");
  const end = firstUser === -1 ? messages.length : firstUser;
  return messages.filter(({ role }, index) => index >= end || role === "system");
}

/** The beginning of a summary with its heading; `null` if there is room for the heading only. */
const shortened = (text: string, characters: number): string | null =>
  characters <= SUMMARY_HEADING.length ? null : text.slice(0, characters).toWellFormed();

const sum = (messages: PastMessage[]): number => messages.reduce((total, { content }) => total + content.length, 0);
