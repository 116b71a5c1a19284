/**
 * A turn: one prompt and the replies that it gets, one from each chat of the session. Turns of a session run one at a time
 * and are numbered from 1. Pure.
 */
import type { Attack, Message, REPLY_STATUSES } from "./message.ts";
import type { EpochMs } from "./time.ts";

/** `partial`: some replies failed. `error`: all did. `human`: a person answers instead. */
export const TURN_STATUSES = ["ok", "partial", "error", "cancelled", "human"] as const;
export type TurnStatus = (typeof TURN_STATUSES)[number];

export interface Turn {
  turnId: string;
  /** 1, 2, 3 … within the session. */
  number: number;
  startedAt: EpochMs;
}

/** Where the reply of a turn belongs whose prompt is in an earlier one. */
export interface ReplyPlace {
  /** The `seq` of the prompt. */
  promptSeq?: number;
  /** The `seq` of the message that the reply follows, if that is not the last one of the active path. */
  replyParentSeq?: number;
}

/** What a turn started with. */
export interface TurnSettings extends ReplyPlace {
  /** The chats whose replies it waits for. */
  chatIds: string[];
  /** The names set on the session. Absent in storage of earlier code. */
  promptTemplate?: string | null;
  contextStrategy?: string | null;
  previousPrompts?: number | null;
  systemPrompt?: string | null;
  attack?: Attack;
  /** What its replies keep of the call, as JSON text. */
  requestFields?: string;
  /** The turn of the recorded conversation that it puts again. If it breaks off, it goes on. */
  recordedTurn?: number;
}

/** A turn that runs. */
export interface RunningTurn extends Turn, TurnSettings {}

/** A turn, and what its replies get from it. */
export type StartedTurn = Turn & ReplyPlace & Pick<TurnSettings, "requestFields">;

/** Receives the messages of a series of turns. */
export interface TurnSeriesReport {
  /** Called with the messages of each turn as it ends. */
  add: (messages: Message[]) => void;
  /** Called when there are no more turns. */
  end: () => Promise<void>;
}

/** How a turn ended whose replies ended so. */
export function turnStatus(statuses: readonly (typeof REPLY_STATUSES)[number][]): TurnStatus {
  if (!statuses.includes("ok")) return statuses.includes("error") ? "error" : "cancelled";
  return statuses.every((status) => status === "ok") ? "ok" : "partial";
}
