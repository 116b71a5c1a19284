/**
 * Converts rows of the log to messages, and limits batches to what fits into one RPC call. The SQL is in
 * `statements.ts`. Pure.
 */
import type { Message, ReplyDetail } from "../../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../../core/page.ts";
import type { Batch } from "../../core/page.ts";

/** A row of `messages`, with the number of its turn. */
export type MessageRow = Record<"chat_id" | "turn_id" | "detail", string | null> & {
  turn_number: number | null;
  seq: number;
  role: Message["role"];
  content: string;
  created_at: number;
  /** What reading the row counts against the limit of a batch, besides its text. */
  bytes_read: number;
};

export const fromRow = ({ seq, role, content, ...row }: MessageRow): Message => ({
  seq,
  chatId: row.chat_id,
  turnId: row.turn_id,
  turnNumber: row.turn_number,
  role,
  content,
  createdAt: row.created_at,
  reply: row.detail === null ? null : (JSON.parse(row.detail) as ReplyDetail),
});

/** The text of messages in UTF-16 code units, about: without the fields of a reply that are always short. */
export const charactersOf = (messages: Message[]): number =>
  messages.reduce((total, { content, reply }) => total + content.length + longFieldsOf(reply), 0);

const longFieldsOf = (reply: ReplyDetail | null): number =>
  (reply?.preparedPrompt.length ?? 0) + (reply?.receipt?.body?.length ?? 0);

/** Reads messages up to the limits of a batch. Reads one row more, to know whether there are more messages. */
export function readBatch(rows: Iterable<MessageRow>, limit: number): Batch<Message> {
  const items: Message[] = [];
  let characters = 0;
  for (const row of rows) {
    characters += row.content.length + (row.detail?.length ?? 0) + row.bytes_read;
    if (items.length === limit || (items.length > 0 && characters > MAX_BATCH_CHARACTERS))
      return { items, hasMore: true };
    items.push(fromRow(row));
  }
  return { items, hasMore: false };
}
