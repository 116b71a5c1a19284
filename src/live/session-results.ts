import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { SubmittedTurn } from "./turns/turn-queue.ts";

/** A session and messages of it: the log, as far as it fits, or only those that a call has added. */
export interface SessionResult {
  session: Session;
  messages: Message[];
  /** The last message that is to be shown. What is missing until there is read in parts. */
  upTo: number;
  /** Set when nothing was done, because it had been done before under the same key. */
  replayed?: boolean;
}

export interface PromptResult extends SessionResult {
  /** The longest that a provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** A message as a caller gives it: with a time of its own, or `null` for now. */
export type NewMessageInput = Pick<NewMessage, "role" | "content"> & { createdAt: EpochMs | null };

/** Which messages an answer is to hold. */
export type History = "whole" | "added";

/** A session that lives in its object, whole. */
export interface LiveSnapshot extends SessionResult {
  /** Whom it refers to, as last known: for the while that the index database cannot tell. */
  chatbot: Chatbot | null;
  client: Client | null;
}

/** What becomes of a prompt: a turn that was just accepted, or one that the same call started before. */
export interface AcceptedPrompt {
  turnId: string;
  /** The turn, while it waits or runs; `null` when it is over. */
  submitted: SubmittedTurn | null;
  replayed: boolean;
}

/** A turn's events as they come. */
export interface TurnStream {
  events: ReadableStream<Uint8Array>;
  /** Set when the turn had been asked for before under the same key. */
  replayed: boolean;
}
