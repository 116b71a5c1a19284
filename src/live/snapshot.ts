import type { Message, NewMessage } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";

/** A session and messages of it: the whole log, or only those that a call has added. */
export interface Snapshot {
  session: Session;
  messages: Message[];
}

export interface TurnTaken extends Snapshot {
  /** The longest that a provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** A message as a caller gives it: with a time of its own, or `null` for now. */
export type Given = Pick<NewMessage, "role" | "content"> & { createdAt: EpochMs | null };

/** Which messages an answer is to hold. */
export type History = "whole" | "added";
