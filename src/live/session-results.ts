/**
 * What the commands of a session take and return. All of it is plain values, because it crosses RPC; only
 * `AcceptedPrompt` stays within the object.
 *
 * The public form of a session does not belong here: each dialect has its own. Types only. Pure.
 */
import type { CallerRole, Writer } from "../core/caller.ts";
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { AdoptedAuthor, Attack, Message, MessageForm, NewMessage } from "../core/message.ts";
import type { Operator } from "../core/handover.ts";
import type { ModelMessage } from "../core/reply.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { MessageColumns } from "./log/message-columns.ts";
import type { SubmittedTurn } from "./turns/turn-queue.ts";

/**
 * A session with messages to present: those after `after` and up to `upTo` if the newest of the log were requested,
 * otherwise those that the call added.
 */
export interface SessionResult {
  session: Session;
  /** The messages to present; none when they are more than is passed on at once. The caller then reads their pages. */
  messages: Message[];
  /** The `seq` before the first message to present. Absent, with no messages, when only D1 has the log. */
  after?: number;
  /** Whether earlier messages are left out, because newer ones are as many as an answer shows. */
  isTruncated?: boolean;
  /** The `seq` of the last message to present; 0 if `messages` has all. */
  upTo: number;
  /** Whether an earlier call with the same key had this effect, and this call had none. */
  replayed?: boolean;
  /** The messages, for a caller that takes columns; `messages` is empty then. */
  columns?: MessageColumns;
}

export interface PromptResult extends SessionResult {
  /** The longest time for which a provider asks callers to wait. */
  retryAfterSeconds: number | null;
}

/** How an answer shows records. */
export interface RecordOptions {
  /** Whether they have their receipts, which then count as characters. */
  withReceipts?: boolean;
}

/** Which messages of a log to read. */
export interface PageFilter {
  /** Only messages of this chat, and prompts to all chats; of these, all and whole. */
  chatId?: string;
  /** Whole messages unless it says otherwise. An object of an earlier release always reads them whole. */
  form?: MessageForm;
  /** Only messages of turns. The archive, and an object of an earlier release, read all. */
  ofTurns?: true;
  /** Whether the shape of the tree is wanted too. An object of an earlier release has no variants. */
  withTree?: true;
}

/** A message from a caller, with its own time, or `null` for the current time. */
export type NewMessageInput = Pick<NewMessage, "role" | "content"> & { createdAt: EpochMs | null };

/** Which messages a result includes: the newest of the log, or only those that the call adds. */
export type History = "whole" | "added";

/** The params of the object's methods. They only get optional fields: another release may call or be called. */
export interface ReadParams extends ColumnsParams {
  history: History;
  options?: RecordOptions;
}

export interface ColumnsParams {
  /** Whether the caller takes the messages of the log as columns. The last release does not. */
  inColumns?: boolean;
}

export interface RetryParams {
  /** Whether the same call was made before and its answer was lost: it may have been done then. */
  isRetry?: boolean;
}

export interface EndParams extends ReadParams, RetryParams {}

export interface PageParams extends ColumnsParams {
  after: number;
  limit: number;
  /** All messages, or only those with text. */
  which: "all" | "shown";
  filter?: PageFilter;
}

export interface AppendParams extends ReadParams {
  input: NewMessageInput;
  key: IdempotencyKey | null;
  /** Who appends it. */
  by?: Writer | undefined;
  /** It is appended only after this message, as the last one of the log. */
  expectedSeq?: number | undefined;
}

/** Who takes over a session, and why. */
export interface TakeOverParams {
  operator: Operator;
  reason: string | null;
}

export interface RequestHumanParams {
  reason: string | null;
}

export interface HandBackParams {
  note: string | null;
}

/** Asks the chatbot or the endpoint of a session with what a client sends of its conversation. */
export interface ConversationQuestion {
  /** The prompt last. */
  messages: ModelMessage[];
  /**
   * Where they begin: with the conversation, so that what the session has is recognised; behind a turn, so that they may be
   * a variant of what followed it; or at the end.
   */
  from: "start" | "end" | { turnId: string };
  /** The chatbot that the client believes to ask; empty if it is an endpoint. */
  chatbotId: string;
  /** The endpoint that it believes to ask, in a session without a chatbot. */
  endpointId?: string;
  /** What stands before the chatbot's system prompt. */
  instructions?: string;
  /** JSON text of an object. */
  params?: string;
  /** JSON text of an object: what answers repeat of the call, for as long as its turn is known. */
  requestFields?: string;
  by: Pick<Writer, "role">;
}

/** Asks about a message of a client that names its messages itself, and knows replies by their turns. */
export interface MessageQuestion {
  /** A new message, another text of an earlier one, or another reply. What is not in the log is a new message. */
  about: "prompt" | "edit" | "reply";
  /** The message of the user, or the reply: `null` for the last message of the user. */
  message: {
    /** The client's name for it: an idempotency key of its newest text. */
    name: IdempotencyKey;
    /** Its place in the log, if the name says it. */
    seq?: number;
    /** The turn of the reply, if the name says it. */
    turnId?: string;
  } | null;
  /** The text of the user's message. */
  text: string;
}

/** Asks the chats of a session, if `expectedSeq` is the last message of its log or absent. */
export type Question = (
  | {
      content: string;
      /** The prompt of which this is a variant. */
      editedSeq?: number;
    }
  | {
      /** The reply of which another one is wanted, and by which endpoint and with which params, as JSON text. */
      regeneratedSeq: number;
      endpointId?: string;
      params?: string;
    }
  /** A turn of the recorded conversation, by its number. */
  | { recordedTurn: number }
  | ConversationQuestion
  | MessageQuestion
) & { expectedSeq?: number };

/** Which turns of a recorded conversation to put, both inclusive; without a bound, all that were not put yet. */
export interface ReplayRange {
  from?: number | undefined;
  to?: number | undefined;
}

export interface ReplayParams extends ReadParams {
  range: ReplayRange;
}

export interface ReplayStreamParams {
  range: ReplayRange;
  readerId?: string;
}

export interface AdoptParams {
  content: string;
  author: AdoptedAuthor;
  /** What the answer follows. */
  parentSeq: number;
  /** It is adopted only if this is the last message of the log. */
  expectedSeq: number;
}

export interface PromptParams extends ReadParams {
  content: string;
  key: IdempotencyKey | null;
  expectedSeq?: number;
}

/** As a prompt, for a question that makes a variant. */
export interface VaryParams extends ReadParams {
  question: Question;
  key: IdempotencyKey | null;
}

export interface VariantStreamParams {
  question: Question;
  key: IdempotencyKey | null;
  readerId?: string;
  role?: CallerRole | null;
  /** Whether the reader needs the reply only: its text, and how it ends. */
  replyOnly?: boolean;
}

export interface ActivateParams {
  seq: number;
}

/** Prompts that an attack module made out of one. */
export interface TurnSeriesParams {
  contents: string[];
  attack: Attack;
  key: IdempotencyKey | null;
}

export interface TurnStreamParams {
  content: string;
  expectedSeq?: number;
  key: IdempotencyKey | null;
  readerId?: string;
  /** Of the reader: a client sees less. Without one, the reader sees everything. */
  role?: CallerRole | null;
}

export interface TurnParams {
  turnId: string;
}

export interface StopParams {
  /** The turn to stop, which may still wait. Without one, and in the last release, the turn that runs. */
  turnId?: string;
}

/** A turn, while it waits or runs and afterwards. */
export interface TurnSnapshot {
  session: Session;
  /** What it has added to the log; none for a turn that is not known. */
  messages: Message[];
  /** Whether it waits or runs. */
  isOpen: boolean;
  /** Of a turn that waits or runs. The replies of one that has ended have them. */
  requestFields?: string;
}

export interface AmendParams extends ReadParams {
  changes: SessionChanges;
}

export interface ArchiveParams {
  unchangedSince: EpochMs;
}

/** A session that is in its object. */
export interface LiveSnapshot extends SessionResult {
  /** The records that the session refers to, as the object last read them. */
  chatbot: Chatbot | null;
  client: Client | null;
  /** When both were read. Absent if that was too long ago to count: then they are for while D1 is down. */
  referencesReadAt?: EpochMs;
}

/** The result of a prompt: a new turn, or the turn that an earlier call with the same key started. */
export interface AcceptedPrompt {
  turnId: string;
  /** The turn, while it waits or runs; `null` once it has ended. */
  submitted: SubmittedTurn | null;
  replayed: boolean;
  /** The `seq` of the prompt, if it is in an earlier turn and was left to a person. */
  leftSeq?: number;
}

/** The events of a turn, as it runs. */
export interface TurnStream {
  events: ReadableStream<Uint8Array>;
  /** Left out by an object of an earlier deployment. */
  turnId?: string;
  /** Whether an earlier call with the same key started the turn. */
  replayed: boolean;
}
