/**
 * Converts rows of the log to messages and totals, and limits batches to what fits into one RPC call. The SQL is in
 * `statements.ts`. Pure.
 */
import type { Author, Message, ReplyDetail } from "../../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../../core/page.ts";
import type { Batch } from "../../core/page.ts";
import type { Session } from "../../core/session.ts";

/**
 * A row of `messages`, in the order of the columns that `statements.ts` selects. A row as an object, with the names of its
 * columns, takes twice as long to read.
 */
export type MessageRow = [
  seq: number,
  chatId: string | null,
  turnId: string | null,
  role: Message["role"],
  content: string,
  createdAt: number,
  detail: string | null,
  /** What reading the row counts against the limit of a batch, besides its text. */
  bytesRead: number,
  turnNumber: number | null,
  author: string | null,
  parentSeq: number | null,
];

export const fromRow = (row: MessageRow): Message => {
  const [seq, chatId, turnId, role, content, createdAt, detail, , turnNumber, author, parentSeq] = row;
  const reply = detail === null ? null : (JSON.parse(detail) as ReplyDetail);
  const message = { seq, chatId, turnId, turnNumber, role, content, createdAt, reply };
  return withOptional(message, author, parentSeq);
};

/** Adds what only some messages have. */
export const withOptional = (message: Message, author: string | null, parentSeq: number | null): Message =>
  author === null && parentSeq === null
    ? message
    : {
        ...message,
        ...(author === null ? {} : { author: JSON.parse(author) as Author }),
        ...(parentSeq === null ? {} : { parentSeq }),
      };

/** A message as a conversation needs it. */
export type PathMessage = Pick<Message, "seq" | "role" | "content">;

export type PathRow = [seq: number, role: Message["role"], content: string];

export const fromPathRow = ([seq, role, content]: PathRow): PathMessage => ({ seq, role, content });

/** Totals of messages. An append does not write the state; its totals are computed from the messages instead. */
export type Totals = Record<"last_seq" | "messages" | "appended_at" | "bytes", number>;

/** The session of a state, with the messages that were appended since. */
export const addTotals = (session: Session, { last_seq, appended_at, messages }: Totals): Session => ({
  ...session,
  lastSeq: last_seq,
  updatedAt: appended_at,
  messageCount: session.messageCount + messages,
});

/** The text of messages in UTF-16 code units, about: without the fields of a reply that are always short. */
export const charactersOf = (messages: Message[]): number =>
  messages.reduce((total, { content, reply }) => total + content.length + longFieldsOf(reply), 0);

const longFieldsOf = (reply: ReplyDetail | null): number =>
  (reply?.preparedPrompt.length ?? 0) + (reply?.requestFields?.length ?? 0) + (reply?.receipt?.body?.length ?? 0);

/** A batch of messages as rows, which are converted to what its reader needs: messages, or columns. */
export class RowBatch implements Batch<Message> {
  readonly rows: MessageRow[];
  readonly hasMore: boolean;

  constructor(rows: MessageRow[], hasMore: boolean) {
    this.rows = rows;
    this.hasMore = hasMore;
  }

  /** The messages. Each call converts them. */
  get items(): Message[] {
    return this.rows.map(fromRow);
  }

  /** The `seq` of the last message. */
  get lastSeq(): number | undefined {
    return this.rows.at(-1)?.[0];
  }
}

const charactersOfRow = ({ 4: content, 6: detail, 7: bytesRead }: MessageRow): number =>
  content.length + (detail?.length ?? 0) + bytesRead;

/** Reads messages up to the limits of a batch. Reads one row more, to know whether there are more messages. */
export function readBatch(rows: Iterable<MessageRow>, limit: number): RowBatch {
  const taken: MessageRow[] = [];
  let characters = 0;
  for (const row of rows) {
    characters += charactersOfRow(row);
    if (taken.length === limit || (taken.length > 0 && characters > MAX_BATCH_CHARACTERS))
      return new RowBatch(taken, true);
    taken.push(row);
  }
  return new RowBatch(taken, false);
}
