/**
 * Reads messages from D1: batches of a log, what an answer shows of it, and the newest messages of several sessions. Writing is in
 * `message-rows.ts` and `write-messages.ts`. Effects: D1.
 */
import { asc, getTableColumns, sql } from "drizzle-orm";
import type { Message, ReplyDetail } from "../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../core/page.ts";
import type { Batch } from "../core/page.ts";
import type { MessageSize, ShownAs } from "../core/shown-window.ts";
import type { Database } from "./database.ts";
import { CONTENT_CHARACTERS, HAS_TEXT, MESSAGE_BYTES, newestSizes, toMessageSizes } from "./message-sizes.ts";
import type { MessageSizeRow } from "./message-sizes.ts";
import { messages } from "./tables.ts";

/** The most rows per read. */
const MAX_ROWS = 1_000;

type MessageRow = Omit<typeof messages.$inferSelect, "appendedAt"> & { turnNumber: number | null };

const { appendedAt: _appendedAt, ...ownColumns } = getTableColumns(messages);

function fromRow({ seq, chatId, turnId, turnNumber, role, content, createdAt, detail }: MessageRow): Message {
  const reply = detail === null ? null : (JSON.parse(detail) as ReplyDetail);
  return { seq, chatId, turnId, turnNumber, role, content, createdAt, reply };
}

/** Which messages a page has. */
export interface PageQuery {
  /** Messages after this `seq`. */
  after: number;
  limit: number;
  /** `shown` for only those with text. */
  which?: "all" | "shown";
  /** Only messages of this chat, and prompts to all chats. */
  chatId?: string;
}

/** How many rows a page may have when its limit is higher. A page has the most of these that fit into a batch. */
const PAGE_SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, MAX_ROWS];

/**
 * A page of rows: about as many as fit into a batch, but at least one. Sizes alone decide how many, so that no text is
 * read in vain. They are read in growing steps only until the batch is full: reading 1,000 sizes for each two long
 * messages took most of the time of a long log, and window functions are slow on D1 and read each row eight times.
 *
 * @param condition which rows
 */
function batchQuery(condition: string): string {
  const rows = `FROM messages WHERE session_id = ?1 AND seq > ?2 ${condition}`;
  const sizes = `SELECT ${MESSAGE_BYTES} AS size ${rows} ORDER BY seq`;
  // NULL if the rows fit and there may be more: then the next step decides.
  const steps = PAGE_SIZES.slice(1).map(
    (count, step) => `(SELECT CASE WHEN sum(size) > ?4 THEN ${PAGE_SIZES[step]} WHEN count(*) < ${count} THEN ?3 END
      FROM (${sizes} LIMIT min(${count}, ?3)))`,
  );
  return `SELECT seq, chat_id AS chatId, turn_id AS turnId, role, content, created_at AS createdAt, detail,
      session_id AS sessionId, (SELECT max(seq) ${rows}) AS lastSeq,
      (SELECT archive ->> 'lastSeq' FROM sessions WHERE id = ?1) AS archivedSeq,
      (SELECT number FROM turns WHERE turns.session_id = ?1 AND turns.turn_id = messages.turn_id) AS turnNumber
    ${rows} ORDER BY seq LIMIT coalesce(${steps.join(", ")}, ?3)`;
}

const ALL_MESSAGES = batchQuery("");
const SHOWN_MESSAGES = batchQuery(`AND ${HAS_TEXT}`);
const MESSAGES_OF_CHAT = batchQuery("AND (chat_id IS NULL OR chat_id = ?5)");

/** Messages of D1. */
export interface StoredPage extends Batch<Message> {
  /** So many messages of the session are in the archive now; `null` if the page has none, because it does not know. */
  archivedSeq: number | null;
}

/** Messages, oldest first: at most `limit`, and no more than fit into a batch. */
export async function messagesPage(
  db: Database,
  sessionId: string,
  { after, limit, which = "all", chatId }: PageQuery,
): Promise<StoredPage> {
  const query = which === "all" ? ALL_MESSAGES : SHOWN_MESSAGES;
  const statement = db.$client.prepare(chatId === undefined ? query : MESSAGES_OF_CHAT);
  const values = [sessionId, after, Math.min(limit, MAX_ROWS), MAX_BATCH_CHARACTERS];
  const bound = statement.bind(...values, ...(chatId === undefined ? [] : [chatId]));
  const { results } = await bound.all<MessageRow & { lastSeq: number; archivedSeq: number | null }>();
  const last = results.at(-1);
  const hasMore = last !== undefined && last.seq < last.lastSeq;
  return { items: results.map(fromRow), hasMore, archivedSeq: last ? (last.archivedSeq ?? 0) : null };
}

/** The sizes of the newest messages up to a `seq`, newest first, with enough rows for a window. */
export async function readNewestSizes(
  db: Database,
  sessionId: string,
  upTo: number,
  shownAs: ShownAs,
): Promise<MessageSize[]> {
  const statement = db.$client.prepare(newestSizes(shownAs, "session_id = ?1 AND seq <= ?2")).bind(sessionId, upTo);
  const { results } = await statement.all<MessageSizeRow>();
  return [...toMessageSizes(results)];
}

/**
 * The statement that reads the newest messages of several sessions, oldest first: at most `maxMessages` of each
 * session, and fewer if they have more than `characters`. Sizes alone decide which, so that no text is read in vain.
 */
export function newestMessages(db: Database, sessionIds: string[], maxMessages: number, characters: number) {
  const sizes = sql`select m.session_id, m.seq,
      sum(${sql.raw(CONTENT_CHARACTERS)}) over (partition by m.session_id order by m.seq desc) as running_total
    from json_each(${JSON.stringify(sessionIds)}) as listed
    cross join sessions s on s.id = listed.value
    cross join messages m on m.session_id = s.id and m.seq > s.last_seq - ${maxMessages}`;
  return db
    .select(ownColumns)
    .from(messages)
    .where(
      sql`(${messages.sessionId}, ${messages.seq}) in (select session_id, seq from (${sizes}) where running_total <= ${characters})`,
    )
    .orderBy(asc(messages.sessionId), asc(messages.seq));
}

/** Groups the rows of {@link newestMessages} by session. */
export function groupBySession(rows: Omit<MessageRow, "turnNumber">[]): Map<string, Message[]> {
  const found = new Map<string, Message[]>();
  for (const row of rows) {
    const log = found.get(row.sessionId) ?? [];
    // Lists show no numbers of turns.
    log.push(fromRow({ ...row, turnNumber: null }));
    found.set(row.sessionId, log);
  }
  return found;
}
