/**
 * Which part of a log an answer shows: its newest messages, as far as the limits allow. Reading the log does not belong
 * here. Pure.
 */
import type { Session } from "./session.ts";

/** The most messages of a log that one answer shows. */
export const MAX_SHOWN_MESSAGES = 1_000;

/** The most characters of messages that one answer shows, unless the newest message or turn alone has more. */
export const MAX_SHOWN_CHARACTERS = 4_000_000;

/** How an answer shows a log: as messages with text, or as a record of each reply, with its receipt or without. */
export type ShownAs = "messages" | "records" | "receipts";

/** @param withReceipts whether records have their receipts, which then count as characters */
export function shownAs(kind: Session["kind"], withReceipts: boolean): ShownAs {
  if (kind === "chatbot") return "messages";
  return withReceipts ? "receipts" : "records";
}

/** A message that an answer can show, without its text. */
export interface MessageSize {
  seq: number;
  turnId: string | null;
  isReply: boolean;
  /** What the answer shows of it, in characters. */
  characters: number;
}

/** So many sizes are enough to find where a window begins. */
export const SIZES_OF_WINDOW = MAX_SHOWN_MESSAGES + 1;

/**
 * Finds where a window begins. Records are shown by whole turns, so that the chats of a session begin with the same
 * prompt.
 *
 * @param newestFirst the newest {@link SIZES_OF_WINDOW} messages, or all if there are fewer. No more are read than needed.
 * @returns the `seq` of the last message before the window; 0 if the window has all messages
 */
export function windowStart(newestFirst: Iterable<MessageSize>, form: ShownAs): number {
  let count = 0;
  let characters = 0;
  for (const unit of form === "messages" ? each(newestFirst) : turnsOf(newestFirst)) {
    const isNewest = count === 0;
    count += unit.length;
    characters += form === "messages" ? sum(unit) : charactersOfRecords(unit);
    const fits = count <= MAX_SHOWN_MESSAGES && characters <= MAX_SHOWN_CHARACTERS;
    if (!isNewest && !fits) return unit[0]?.seq ?? 0;
  }
  return 0;
}

function* each(messages: Iterable<MessageSize>): Generator<MessageSize[], void> {
  for (const message of messages) yield [message];
}

/** The messages of each turn. Turns run one at a time, so these follow each other in the log. */
function* turnsOf(messages: Iterable<MessageSize>): Generator<MessageSize[], void> {
  let turn: MessageSize[] = [];
  for (const message of messages) {
    if (turn.length > 0 && turn[0]?.turnId !== message.turnId) {
      yield turn;
      turn = [];
    }
    turn.push(message);
  }
  if (turn.length > 0) yield turn;
}

/** Every record of a turn repeats the prompt. */
function charactersOfRecords(turn: MessageSize[]): number {
  const replies = turn.filter(({ isReply }) => isReply);
  return sum(replies) + sum(turn.filter(({ isReply }) => !isReply)) * Math.max(1, replies.length);
}

const sum = (messages: MessageSize[]): number => messages.reduce((total, { characters }) => total + characters, 0);
