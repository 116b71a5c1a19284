/**
 * Messages: rows of a session's log, and the details of a reply (usage, cost, receipt). The events of a running reply
 * are in `core/reply.ts`. Pure.
 */
import * as z from "zod/mini";
import type { ConnectorType, Prices } from "./endpoint.ts";
import type { ReplyErrorCode } from "./failure.ts";
import type { EpochMs } from "./time.ts";

export const ROLES = ["user", "assistant", "system"] as const;
export type Role = (typeof ROLES)[number];

/** The longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT_LENGTH = 100_000;

/**
 * The largest row, in bytes, with a margin for its other columns. D1 rejects rows of more than 2 MB.
 * https://developers.cloudflare.com/d1/platform/limits/
 */
export const MAX_ROW_BYTES = 1_900_000;

/** A log that has so many messages, or so many bytes of text and details, takes no more prompts and messages. */
export const MAX_LOG_MESSAGES = 100_000;
export const MAX_LOG_BYTES = 256_000_000;

/** The longest row of a reply, in UTF-16 code units. Fits {@link MAX_ROW_BYTES}: a unit takes up to three bytes in UTF-8. */
export const MAX_ROW_CHARACTERS = 600_000;

/** The longest prepared prompt, in UTF-16 code units. A reply stores it in its row. */
export const MAX_PREPARED_PROMPT_CHARACTERS = 200_000;

/** The longest text of a reply, in UTF-16 code units: the rest of a row. */
export const MAX_REPLY_CHARACTERS = MAX_ROW_CHARACTERS - MAX_PREPARED_PROMPT_CHARACTERS;

/**
 * The content of a caller's message, for every way to send one. It is stored and sent without trimming: white space
 * around a prompt changes the model's answer.
 */
export const Content = z.string().check(
  z.minLength(1, { abort: true }),
  z.maxLength(MAX_CONTENT_LENGTH),
  z.refine((text) => text.trim() !== "", "must not be blank"),
);

/** Why a reply ended. `other` means a reason of the provider that has no name here; `finishReasonRaw` has it. */
export const FINISH_REASONS = [
  "stop",
  "length",
  "content_filter",
  "tool_calls",
  "other",
  "cancelled",
  "interrupted",
  "error",
] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export const REPLY_STATUSES = ["ok", "error", "cancelled"] as const;

/** Tokens of one reply. */
export interface Usage {
  /** All input tokens: cached, uncached, and written to the cache. */
  inputTokens: number;
  /** All output tokens, with reasoning. */
  outputTokens: number;
  /** Input tokens from the provider's cache, if the provider reports them. */
  cachedInputTokens?: number;
  /** Output tokens for reasoning, if the provider reports them. */
  reasoningTokens?: number;
}

/** Which attack module made a prompt, out of which one. */
export interface Attack {
  module: string;
  prompt: string;
}

/** What the row of a reply stores besides the text. Moonshot's chat records are made from it. */
export interface ReplyDetail {
  status: (typeof REPLY_STATUSES)[number];
  /** The endpoint that was called; `null` in a chatbot session, which has only one. */
  endpointId: string | null;
  finishReason: FinishReason;
  /** The provider's own finish reason; absent if there was none. */
  finishReasonRaw?: string;
  error: ReplyError | null;
  model: string | null;
  usage: Usage | null;
  /** `null` if it is not known: the object stopped before the reply had ended. */
  durationMs: number | null;
  /** Time to the first text; `null` if there was no text. */
  ttftMs: number | null;
  /** Number of calls to the endpoint. */
  attempts: number;
  providerRequestId: string | null;
  preparedPrompt: string;
  /** The names set on the session when the prompt was sent. */
  promptTemplate: string | null;
  contextStrategy: string | null;
  /** The system prompt of the comparison session; absent without one. */
  systemPrompt?: string;
  /** Of a prompt that an attack module made. */
  attack?: Attack;
  /** The `seq` of the prompt that it answers, if that is not in the turn of the reply. */
  promptSeq?: number;
  /**
   * How long the call waited for the endpoint's own limits, in milliseconds. `durationMs` and `ttftMs` start after it.
   * See {@link queueMsOf}.
   */
  queueMs?: number;
  /** Only replies of chatbots with `context` have it. */
  context?: SentContext;
  /**
   * JSON text of an object: fields of the call that answers of its dialect repeat. Absent for nothing, and where the row
   * has no place for it. `""` in short forms.
   */
  requestFields?: string;
  /** Only replies of comparison sessions have one. */
  receipt?: Receipt | null;
  /** The prices of the endpoint's tokens at that time, if they are set and the reply has no receipt with them. */
  prices?: Prices;
}

/** What a call has sent, for a chatbot with `context`. */
export interface SentContext {
  /** The chatbot's `maxTokens` at that time. */
  maxTokens: number;
  /** UTF-16 code units of all texts that were sent. */
  characters: number;
  estimatedTokens: number;
  /** Messages of the conversation that were sent as they are, the new one included. */
  kept: number;
  /** All others. */
  dropped: number;
  /** Whether `maxTokens` is the reason that messages were dropped, or a summary stands for them. */
  isTrimmed: boolean;
  /** What became of the summary that this turn needed. */
  summary?: SummaryRecord;
}

/** A summary that was made in a turn, and what it cost. */
export interface SummaryRecord {
  /** `""` if none was made. */
  text: string;
  /** The `seq` of the last message that it covers; 0 if none was made. */
  upTo: number;
  /** The `seq` of the reply with the summary that was made before this one, of this conversation or of another. */
  previousSeq: number | null;
  endpointId: string;
  calls: number;
  usage: Usage | null;
  prices: Prices | null;
  /** Why it covers less than it should have. */
  error: ReplyError | null;
}

/** The exact request of a reply, so that an evaluation can cite it: what was sent, where and how. */
export interface Receipt {
  connectorType: ConnectorType;
  /** The URL without secrets; `null` for an endpoint without a URL. */
  url: string | null;
  /** The requested model. The model that answered is the reply's `model`. */
  modelAsked: string;
  /** JSON text of the params that applied. */
  params: string;
  /** The exact body, with secrets masked; `null` if nothing was sent, or if the body is too long to store. */
  body: string | null;
  /** Lower-case hex SHA-256 of the exact bytes that were sent; `null` if nothing was sent. */
  bodySha256: string | null;
  attempts: Attempt[];
  /** What was unusual about the response, as sentences. Receipts of earlier versions have none. */
  notes?: string[];
  /** The prices of the endpoint's tokens at that time. */
  prices: Prices | null;
}

/** Significant digits of a cost. Further digits are rounding errors of binary fractions. */
const COST_DIGITS = 12;

/** The cost of a reply at the prices of its time; `null` if its usage or the prices are not known. */
export const costOfReply = ({ usage, receipt, prices }: ReplyDetail): number | null =>
  costOf(usage, receipt?.prices ?? prices ?? null);

/** The cost of tokens; `null` if their number or the prices are not known. */
export function costOf(usage: Usage | null, prices: Prices | null): number | null {
  if (!usage || !prices) return null;
  return roundCost(
    (usage.inputTokens * prices.inputPerMillion + usage.outputTokens * prices.outputPerMillion) / 1_000_000,
  );
}

/** How long a reply waited for the limits; `null` if its times are not known. Replies of earlier versions did not wait. */
export const queueMsOf = ({ queueMs, durationMs }: ReplyDetail): number | null =>
  queueMs ?? (durationMs === null ? null : 0);

export const roundCost = (cost: number): number => Number(cost.toPrecision(COST_DIGITS));

/** One of the calls for a reply. */
export interface Attempt {
  /** `null` for the successful call. */
  error: ReplyError | null;
  /** From the start to the end of the call, in milliseconds. */
  durationMs: number;
  providerRequestId: string | null;
}

/** Why a reply failed: `code` for programs, `message` for people. Neither contains a secret. */
export interface ReplyError {
  code: ReplyErrorCode;
  message: string;
}

/** A person who wrote a message in the chatbot's place. */
export interface HumanAuthor {
  kind: "human";
  id: string;
  name: string;
}

/** Where an answer was adopted from: a record of a comparison session. */
export interface AdoptedAuthor {
  kind: "adopted";
  /** The endpoint that gave the answer. */
  endpoint: string;
  /** The comparison session. */
  sessionId: string;
  chatId: string;
  chatRecordId: number;
}

/** Where a message of the chatbot's side comes from, if its own endpoint did not give it. */
export type Author = HumanAuthor | AdoptedAuthor;

/** One row of a session's log. */
export interface Message {
  /** 1, 2, 3 … within the session, without gaps. */
  seq: number;
  /** The chat of the message; `null` for a prompt to all chats. */
  chatId: string | null;
  turnId: string | null;
  /** The number of its turn within the session; `null` for a message of no turn. */
  turnNumber: number | null;
  role: Role;
  content: string;
  createdAt: EpochMs;
  /** Only on a reply. */
  reply: ReplyDetail | null;
  /** Only on a message that a person wrote for the chatbot's side, or that was adopted. */
  author?: Author;
  /**
   * The `seq` of the message that it follows, 0 for none. Absent if that is the one just before; always there on a reply
   * without text. Messages of comparison sessions have none.
   */
  parentSeq?: number;
}

/**
 * What a reader needs of messages: all; `short`: replies without what was sent for them, so with an empty prepared prompt,
 * empty fields of the request and a receipt without body, params and attempts; `counts`: only replies, short and without their text.
 */
export type MessageForm = "whole" | "short" | "counts";

/** A message that is not in the log yet. Without `parentSeq` it follows the last message of the active path. */
export type NewMessage = Omit<Message, "seq">;

/** Whether the Session API shows the message. A reply without text is in the log but not in the conversation. */
export const hasText = (message: Pick<Message, "content" | "reply">): boolean =>
  message.reply === null || message.content !== "";
