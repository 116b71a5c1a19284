/**
 * Reads messages from D1: batches of a log, what an answer shows of it, and the newest messages of several sessions. Writing is in
 * `message-rows.ts` and `write-messages.ts`. Effects: D1.
 */
import { asc, getTableColumns, sql } from "drizzle-orm";
import type { Author, Message, MessageForm, ReplyDetail } from "../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../core/page.ts";
import type { Batch } from "../core/page.ts";
import { windowStart } from "../core/shown-window.ts";
import type { MessageSize, ShownAs } from "../core/shown-window.ts";
import type { Database } from "./database.ts";
import {
  CONTENT_CHARACTERS,
  HAS_TEXT,
  MESSAGE_BYTES,
  SHORT_DETAIL,
  SHORT_DETAIL_BYTES,
  isOnPath,
  newestByteSizes,
  newestSizes,
  toMessageSizes,
} from "./message-sizes.ts";
import type { MessageByteSizeRow, MessageSizeRow } from "./message-sizes.ts";
import { MAX_SEQ, isInLog, keyOf, numberOf, seqOf, sessionNumberOf } from "./message-keys.ts";
import { messages } from "./tables.ts";

/** The most rows per read. */
const MAX_ROWS = 1_000;

type MessageRow = Omit<typeof messages.$inferSelect, "appendedAt" | "key"> & Pick<Message, "seq" | "turnNumber">;

function fromRow({ detail, author, parentSeq, ...row }: MessageRow): Message {
  const { seq, chatId, turnId, turnNumber, role, content, createdAt } = row;
  const reply = detail === null ? null : (JSON.parse(detail) as ReplyDetail);
  const message = { seq, chatId, turnId, turnNumber, role, content, createdAt, reply };
  return {
    ...message,
    ...(author === null ? {} : { author: JSON.parse(author) as Author }),
    ...(parentSeq === null ? {} : { parentSeq }),
  };
}

/** Which messages a page has. */
export interface PageQuery {
  /** Messages after this `seq`. */
  after: number;
  limit: number;
  /** `shown` for only those of the active path, short. */
  which?: "all" | "shown";
  /** Only messages of this chat, and prompts to all chats; of these, all and whole. */
  chatId?: string;
  form?: MessageForm;
  /** Only messages of turns, whole. The archive has no index of them, and its pages have all messages. */
  ofTurns?: boolean;
}

/** What a page reads of each row. */
interface ReadColumns {
  content: string;
  detail: string;
  bytes: string;
}
const WHOLE: ReadColumns = { content: "content", detail: "detail", bytes: MESSAGE_BYTES };
const SHORT: ReadColumns = {
  content: "content",
  detail: SHORT_DETAIL,
  bytes: `octet_length(content) + ${SHORT_DETAIL_BYTES}`,
};
const COUNTS: ReadColumns = { content: "''", detail: SHORT_DETAIL, bytes: SHORT_DETAIL_BYTES };

/** How many rows a page may have when its limit is higher. A page has the most of these that fit into a batch. */
const PAGE_SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, MAX_ROWS];

/**
 * A page of rows: about as many as fit into a batch, but at least one. Sizes alone decide how many, so that no text is
 * read in vain. They are read in growing steps only until the batch is full: reading 1,000 sizes for each two long
 * messages took most of the time of a long log, and window functions are slow on D1 and read each row eight times.
 *
 * @param condition which rows
 * @param form what is read of them, and what that counts against the limit of a batch
 */
function batchQuery(condition: string, { content, detail, bytes } = WHOLE): string {
  const rows = `FROM sessions s CROSS JOIN messages m ON ${isInLog("m.key", "s.number", "?2")} WHERE s.id = ?1 ${condition}`;
  const sizes = `SELECT ${bytes} AS size ${rows} ORDER BY m.key`;
  // NULL if the rows fit and there may be more: then the next step decides.
  const steps = PAGE_SIZES.slice(1).map(
    (count, step) => `(SELECT CASE WHEN sum(size) > ?4 THEN ${PAGE_SIZES[step]} WHEN count(*) < ${count} THEN ?3 END
      FROM (${sizes} LIMIT min(${count}, ?3)))`,
  );
  return `SELECT ${seqOf("m.key")} AS seq, m.chat_id AS chatId, m.turn_id AS turnId, role, ${content} AS content,
      m.created_at AS createdAt, m.author, m.parent_seq AS parentSeq, ${detail} AS detail, s.archive ->> 'lastSeq' AS archivedSeq,
      (SELECT ${seqOf("m.key")} ${rows} ORDER BY m.key DESC LIMIT 1) AS lastSeq,
      (SELECT number FROM turns WHERE turns.session_id = ?1 AND turns.turn_id = m.turn_id) AS turnNumber
    ${rows} ORDER BY m.key LIMIT coalesce(${steps.join(", ")}, ?3)`;
}

const PAGES: Record<MessageForm, string> = {
  whole: batchQuery(""),
  short: batchQuery("", SHORT),
  counts: batchQuery("AND detail IS NOT NULL", COUNTS),
};
const ON_PATH = `(s.active_path IS NULL OR ${isOnPath(seqOf("m.key"), "s.active_path")})`;
const SHOWN_MESSAGES = batchQuery(`AND ${HAS_TEXT} AND ${ON_PATH}`, SHORT);
const MESSAGES_OF_TURNS = batchQuery("AND turn_id IS NOT NULL");
const MESSAGES_OF_CHAT = batchQuery("AND (chat_id IS NULL OR chat_id = ?5)");

function queryOf({ which = "all", chatId, form = "whole", ofTurns = false }: PageQuery): string {
  if (chatId !== undefined) return MESSAGES_OF_CHAT;
  if (which === "shown") return SHOWN_MESSAGES;
  return ofTurns ? MESSAGES_OF_TURNS : PAGES[form];
}

/** Messages of D1. */
export interface StoredPage extends Batch<Message> {
  /** So many messages of the session are in the archive now; `null` if the page has none, because it does not know. */
  archivedSeq: number | null;
}

/** Messages, oldest first: at most `limit`, and no more than fit into a batch. */
export async function messagesPage(db: Database, sessionId: string, pageQuery: PageQuery): Promise<StoredPage> {
  const { after, limit, chatId } = pageQuery;
  const statement = db.$client.prepare(queryOf(pageQuery));
  const values = [sessionId, Math.min(after, MAX_SEQ), Math.min(limit, MAX_ROWS), MAX_BATCH_CHARACTERS];
  const bound = statement.bind(...values, ...(chatId === undefined ? [] : [chatId]));
  const { results } = await bound.all<MessageRow & { lastSeq: number; archivedSeq: number | null }>();
  const last = results.at(-1);
  const hasMore = last !== undefined && last.seq < last.lastSeq;
  return { items: results.map(fromRow), hasMore, archivedSeq: last ? (last.archivedSeq ?? 0) : null };
}

const number = numberOf("?1");
const IN_RANGE = `${isInLog("key", number, "?2")} AND key <= ${keyOf(number, "?3")}`;
const ACTIVE_PATH = "(SELECT active_path FROM sessions WHERE id = ?1)";
const SHOWN_IN_RANGE = `${IN_RANGE} AND (${ACTIVE_PATH} IS NULL OR ${isOnPath(seqOf("key"), ACTIVE_PATH)})`;
const rangeOf = (shownAs: ShownAs) =>
  ({ key: "key", condition: shownAs === "messages" ? SHOWN_IN_RANGE : IN_RANGE }) as const;

/**
 * The `seq` of the last message that an answer leaves out; 0 if it shows all. Bytes alone decide this for most logs. For others, only
 * the texts are counted that the answer may show.
 *
 * @param upTo the last message to show
 */
export async function readWindowStart(
  db: Database,
  sessionId: string,
  upTo: number,
  shownAs: ShownAs,
): Promise<number> {
  const sizes = db.$client.prepare(newestByteSizes(shownAs, rangeOf(shownAs))).bind(sessionId, 0, upTo);
  const rows = (await sizes.all<MessageByteSizeRow>()).results;
  const exact = new Map<number, number>();
  const startFor = (characters: "leastCharacters" | "mostCharacters") =>
    windowStart(
      toMessageSizes(rows.map((row) => ({ ...row, characters: exact.get(row.seq) ?? row[characters] }))),
      shownAs,
    );
  // Of most texts each byte is a character. Then the texts of the shorter window decide, a third of those of the longer one.
  for (const isSecond of [false, true]) {
    const [earliest, latest] = [startFor("leastCharacters"), startFor("mostCharacters")];
    if (earliest === latest) return earliest;
    const sizesRead = await readNewestSizes(db, sessionId, isSecond ? earliest : latest, upTo, shownAs);
    for (const { seq, characters } of sizesRead) exact.set(seq, characters);
  }
  return startFor("leastCharacters");
}

/** The sizes of the newest messages after a `seq` and up to another, newest first, with enough rows for a window. */
export async function readNewestSizes(
  db: Database,
  sessionId: string,
  after: number,
  upTo: number,
  shownAs: ShownAs,
): Promise<MessageSize[]> {
  const statement = db.$client.prepare(newestSizes(shownAs, rangeOf(shownAs))).bind(sessionId, after, upTo);
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
    cross join messages m on ${sql.raw(isInLog("m.key", "s.number", `iif(s.active_path IS NULL, max(s.last_seq - ${maxMessages}, 0), 0)`))}
    and ${sql.raw(ON_PATH)}`;
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
