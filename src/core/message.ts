import * as z from "zod";
import type { ConnectorType, Prices } from "./endpoint.ts";
import type { ReplyErrorCode } from "./failure.ts";
import type { EpochMs } from "./time.ts";

export const ROLES = ["user", "assistant", "system"] as const;
export type Role = (typeof ROLES)[number];

/** The longest content of a message, in UTF-16 code units. */
export const MAX_CONTENT = 100_000;

/**
 * The longest row of a reply, in UTF-16 code units. D1 rejects rows of more than 2 MB, and a code unit takes up to three
 * bytes in UTF-8. https://developers.cloudflare.com/d1/platform/limits/
 */
export const MAX_ROW_CHARACTERS = 600_000;

/** The longest prepared prompt, in UTF-16 code units. A reply stores it in its row. */
export const MAX_PREPARED_PROMPT_CHARACTERS = 200_000;

/** The longest text of a reply, in UTF-16 code units: what a row has room for besides the prepared prompt. */
export const MAX_REPLY_CHARACTERS = MAX_ROW_CHARACTERS - MAX_PREPARED_PROMPT_CHARACTERS;

/** What a caller says, in whichever way it comes. Kept and sent exactly as given: blanks around it change what a model answers. */
export const Content = z
  .string()
  .min(1, { abort: true })
  .max(MAX_CONTENT)
  .refine((text) => text.trim() !== "", "must not be blank");

/** Why a reply ended. `other`: the provider gave a reason that has no name here; `finishReasonRaw` has its word. */
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

/** What a reply's model read and wrote, in tokens. */
export interface Usage {
  /** All that was read, from a cache or not, and what was written to the cache. */
  inputTokens: number;
  /** All that was written, reasoning included. */
  outputTokens: number;
  /** How many of the input tokens came from the provider's cache, where it says so. */
  cachedInputTokens?: number;
  /** How many of the output tokens were reasoning, where it says so. */
  reasoningTokens?: number;
}

/** What a reply's row tells beside its text. A chat record is read off it. */
export interface ReplyDetail {
  status: (typeof REPLY_STATUSES)[number];
  /** The endpoint asked; `null` on a chatbot session, which has only one. */
  endpointId: string | null;
  finishReason: FinishReason;
  /** The provider's own word for the finish reason; absent where it gave none. */
  finishReasonRaw?: string;
  error: ReplyError | null;
  model: string | null;
  usage: Usage | null;
  durationMs: number;
  /** Time to the first text; `null` when none came. */
  ttftMs: number | null;
  /** How often the endpoint was called. */
  attempts: number;
  providerRequestId: string | null;
  preparedPrompt: string;
  /** Names in force when the prompt was put. */
  promptTemplate: string | null;
  contextStrategy: string | null;
  /** How long the call waited for the endpoint's own limits, in milliseconds; `durationMs` and `ttftMs` begin behind it. */
  queueMs?: number;
  /** Kept of replies in comparison sessions. */
  receipt?: Receipt | null;
}

/** What makes a reply citable: what exactly was asked, where and how. */
export interface Receipt {
  connectorType: ConnectorType;
  /** Where it was asked, without secrets; `null` for an endpoint that needs no address. */
  url: string | null;
  /** The model that was asked for. The one that answered is the reply's `model`. */
  modelAsked: string;
  /** JSON text of the params in force. */
  params: string;
  /** The exact body that was sent, secrets masked; `null` when none was sent, or it is too long to be kept. */
  body: string | null;
  /** Lower-case hex SHA-256 of the exact bytes that were sent; `null` when none were. */
  bodySha256: string | null;
  attempts: Attempt[];
  /** What was unusual about the answer, in words. Receipts of earlier versions have none. */
  notes?: string[];
  /** What the endpoint's tokens cost then. */
  prices: Prices | null;
}

/** Digits of a cost that mean something: what comes behind them is how binary fractions add up. */
const COST_DIGITS = 12;

/** What tokens cost at some prices; `null` when either is not known. */
export const costOf = (usage: Usage | null, prices: Prices | null): number | null =>
  usage && prices
    ? roundCost((usage.inputTokens * prices.inputPerMillion + usage.outputTokens * prices.outputPerMillion) / 1_000_000)
    : null;

export const roundCost = (cost: number): number => Number(cost.toPrecision(COST_DIGITS));

/** One call of those that a reply took. */
export interface Attempt {
  /** Why it failed; `null` for the one that was answered. */
  error: ReplyError | null;
  /** From its sending to its end, in milliseconds. */
  durationMs: number;
  providerRequestId: string | null;
}

/** Why a reply failed: `code` for programs, `message` in words, never with a secret. */
export interface ReplyError {
  code: ReplyErrorCode;
  message: string;
}

/** One row of a session's log. */
export interface Message {
  /** 1, 2, 3 … within the session, without gaps. */
  seq: number;
  /** The chat it belongs to; `null` for a prompt put to all chats. */
  chatId: string | null;
  turnId: string | null;
  role: Role;
  content: string;
  createdAt: EpochMs;
  /** Present on a reply only. */
  reply: ReplyDetail | null;
}

/** A message that has no place in the log yet. */
export type NewMessage = Omit<Message, "seq">;

/** Whether the Session API shows it: a reply without text is in the log, and not in the conversation. */
export const hasText = (message: Pick<Message, "content" | "reply">): boolean =>
  message.reply === null || message.content !== "";
