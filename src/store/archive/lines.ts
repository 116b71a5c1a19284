/**
 * The lines of an archived log: one of JSON for each message, with the names of D1's columns, behind a line that says
 * what the file is. Pure.
 */
import type { Author, Message, ReplyDetail } from "../../core/message.ts";

/** The version of the lines. A change of their form needs a new one, and code that goes on reading the old one. */
export const VERSION = 1;

/** A message as a line has it. */
type Line = Record<"chat_id" | "turn_id", string | null> & {
  seq: number;
  turn_number: number | null;
  role: Message["role"];
  content: string;
  created_at: number;
  detail: ReplyDetail | null;
  author?: Author;
  parent_seq?: number;
};

export const firstLine = (sessionId: string): string =>
  `${JSON.stringify({ version: VERSION, session_id: sessionId })}\n`;

export function toLine({
  seq,
  chatId,
  turnId,
  turnNumber,
  role,
  content,
  createdAt,
  reply,
  author,
  parentSeq,
}: Message): string {
  const line: Line = {
    seq,
    chat_id: chatId,
    turn_id: turnId,
    turn_number: turnNumber,
    role,
    content,
    created_at: createdAt,
    detail: reply,
    ...(author ? { author } : {}),
    ...(parentSeq === undefined ? {} : { parent_seq: parentSeq }),
  };
  return `${JSON.stringify(line)}\n`;
}

export function fromLine(text: string): Message {
  const { seq, chat_id, turn_id, turn_number, role, content, created_at, detail, author, parent_seq } = JSON.parse(
    text,
  ) as Line;
  return {
    seq,
    chatId: chat_id,
    turnId: turn_id,
    turnNumber: turn_number,
    role,
    content,
    createdAt: created_at,
    reply: detail,
    ...(author ? { author } : {}),
    ...(parent_seq === undefined ? {} : { parentSeq: parent_seq }),
  };
}
