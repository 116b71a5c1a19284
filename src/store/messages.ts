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
import { MAX_SEQ, isInLog, keyOf, numberOf, seqOf, sessionNumberOf } from "./message-keys.ts";
import { messages } from "./tables.ts";

/** The most rows per read. */
const MAX_ROWS = 1_000;

type MessageRow = Omit<typeof messages.$inferSelect, "appendedAt" | "key"> & Pick<Message, "seq" | "turnNumber">;

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
  const rows = `FROM sessions s CROSS JOIN messages m ON ${isInLog("m.key", "s.number", "?2")} WHERE s.id = ?1 ${condition}`;
  const sizes = `SELECT ${MESSAGE_BYTES} AS size ${rows} ORDER BY m.key`;
  // NULL if the rows fit and there may be more: then the next step decides.
  const steps = PAGE_SIZES.slice(1).map(
    (count, step) => `(SELECT CASE WHEN sum(size) > ?4 THEN ${PAGE_SIZES[step]} WHEN count(*) < ${count} THEN ?3 END
      FROM (${sizes} LIMIT min(${count}, ?3)))`,
  );
  return `SELECT ${seqOf("m.key")} AS seq, m.chat_id AS chatId, m.turn_id AS turnId, role, content,
      m.created_at AS createdAt, detail, (SELECT ${seqOf("m.key")} ${rows} ORDER BY m.key DESC LIMIT 1) AS lastSeq,
      s.archive ->> 'lastSeq' AS archivedSeq,
      (SELECT number FROM turns WHERE turns.session_id = ?1 AND turns.turn_id = m.turn_id) AS turnNumber
    ${rows} ORDER BY m.key LIMIT coalesce(${steps.join(", ")}, ?3)`;
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
  const values = [sessionId, Math.min(after, MAX_SEQ), Math.min(limit, MAX_ROWS), MAX_BATCH_CHARACTERS];
  const bound = statement.bind(...values, ...(chatId === undefined ? [] : [chatId]));
  const { results } = await bound.all<MessageRow & { lastSeq: number; archivedSeq: number | null }>();
  const last = results.at(-1);
  const hasMore = last !== undefined && last.seq < last.lastSeq;
  return { items: results.map(fromRow), hasMore, archivedSeq: last ? (last.archivedSeq ?? 0) : null };
}

const number = numberOf("?1");
const UP_TO = { key: "key", condition: `${isInLog("key", number)} AND key <= ${keyOf(number, "?2")}` } as const;

/** The sizes of the newest messages up to a `seq`, newest first, with enough rows for a window. */
export async function readNewestSizes(
  db: Database,
  sessionId: string,
  upTo: number,
  shownAs: ShownAs,
): Promise<MessageSize[]> {
  const statement = db.$client.prepare(newestSizes(shownAs, UP_TO)).bind(sessionId, upTo);
  const { results } = await statement.all<MessageSizeRow>();
  return [...toMessageSizes(results)];
}

const { appendedAt: _appendedAt, key: _key, ...shownColumns } = getTableColumns(messages);
const listedColumns = {
  ...shownColumns,
  sessionNumber: sql<number>`${sql.raw(sessionNumberOf("key"))}`,
  seq: sql<number>`${sql.raw(seqOf("key"))}`,
};

/**
 * The statement that reads the newest messages of several sessions, oldest first: at most `maxMessages` of each
 * session, and fewer if they have more than `characters`. Sizes alone decide which, so that no text is read in vain.
 *
 * @param sessionNumbers the numbers of the sessions
 */
export function newestMessages(db: Database, sessionNumbers: number[], maxMessages: number, characters: number) {
  const sizes = sql`select m.key as listed_key,
      sum(${sql.raw(CONTENT_CHARACTERS)}) over (partition by s.number order by m.key desc) as running_total
    from json_each(${JSON.stringify(sessionNumbers)}) as listed
    cross join sessions s on s.number = listed.value
    cross join messages m on ${sql.raw(isInLog("m.key", "s.number", `max(s.last_seq - ${maxMessages}, 0)`))}`;
  return db
    .select(listedColumns)
    .from(messages)
    .where(sql`${messages.key} in (select listed_key from (${sizes}) where running_total <= ${characters})`)
    .orderBy(asc(messages.key));
}

/** Groups the rows of {@link newestMessages} by the numbers of their sessions. */
export function groupBySession(
  rows: (Omit<MessageRow, "turnNumber"> & { sessionNumber: number })[],
): Map<number, Message[]> {
  const found = new Map<number, Message[]>();
  for (const { sessionNumber, ...row } of rows) {
    const log = found.get(sessionNumber) ?? [];
    // Lists show no numbers of turns.
    log.push(fromRow({ ...row, turnNumber: null }));
    found.set(sessionNumber, log);
  }
  return found;
}
