/**
 * Reads messages from D1: whole logs, batches of a log, and the newest messages of several sessions. Writing is in
 * `message-rows.ts` and `write-messages.ts`. Effects: D1.
 */
import { and, asc, eq, getTableColumns, gt, inArray, lte, sql } from "drizzle-orm";
import type { Message, ReplyDetail } from "../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../core/page.ts";
import type { Batch } from "../core/page.ts";
import type { Database } from "./database.ts";
import { messages, sessions } from "./tables.ts";

/** Rows per read. Even with rows of the largest size, D1's response stays within its limits. */
const ROWS_PER_READ = 100;

type MessageRow = Omit<typeof messages.$inferSelect, "appendedAt"> & { turnNumber: number | null };

const { appendedAt: _appendedAt, ...ownColumns } = getTableColumns(messages);

const columns = {
  ...ownColumns,
  // By hand: drizzle leaves out the table's name where only one is read.
  turnNumber: sql<number | null>`(select number from turns
    where turns.session_id = messages.session_id and turns.turn_id = messages.turn_id)`.as("turn_number"),
};

function fromRow({ seq, chatId, turnId, turnNumber, role, content, createdAt, detail }: MessageRow): Message {
  const reply = detail === null ? null : (JSON.parse(detail) as ReplyDetail);
  return { seq, chatId, turnId, turnNumber, role, content, createdAt, reply };
}

/**
 * Reads the log of a session up to a message, oldest first.
 *
 * @param from reads messages after this `seq`
 */
export async function readLog(db: Database, sessionId: string, lastSeq: number, from = 0): Promise<Message[]> {
  const log: Message[] = [];
  for (let after = from; after < lastSeq; after += ROWS_PER_READ) {
    log.push(...(await readMessages(db, sessionId, after, Math.min(after + ROWS_PER_READ, lastSeq))));
  }
  return log;
}

/** As many rows as fit into a batch, but at least one. */
const batchQuery = (which: string): string => `SELECT * FROM (
    SELECT *, sum(size) OVER (ORDER BY seq) AS running_total, count(*) OVER () AS found FROM (
      SELECT seq, chat_id AS chatId, turn_id AS turnId, role, content, created_at AS createdAt, detail, session_id AS sessionId,
        (SELECT number FROM turns WHERE turns.session_id = messages.session_id AND turns.turn_id = messages.turn_id) AS turnNumber,
        length(content) + coalesce(length(detail), 0) AS size
      FROM messages WHERE session_id = ?1 AND seq > ?2 ${which} ORDER BY seq LIMIT ?3
    )
  ) WHERE running_total <= ?4 OR running_total = size ORDER BY seq`;

const ALL_MESSAGES = batchQuery("");
const SHOWN_MESSAGES = batchQuery("AND (detail IS NULL OR content <> '')");

/**
 * Messages after a `seq`, oldest first: all, or only those with text. Returns at most `limit`, and no more than fit
 * into a batch.
 */
export async function messagesPage(
  db: Database,
  sessionId: string,
  after: number,
  limit: number,
  which: "all" | "shown",
): Promise<Batch<Message>> {
  // One row more than requested shows whether there are more.
  const statement = db.$client.prepare(which === "all" ? ALL_MESSAGES : SHOWN_MESSAGES);
  const bound = statement.bind(sessionId, after, limit + 1, MAX_BATCH_CHARACTERS);
  const { results } = await bound.all<MessageRow & { found: number }>();
  const items = results.slice(0, limit).map(fromRow);
  return { items, hasMore: (results[0]?.found ?? 0) > items.length };
}

async function readMessages(db: Database, sessionId: string, after: number, upTo: number): Promise<Message[]> {
  const rows = await db
    .select(columns)
    .from(messages)
    .where(and(eq(messages.sessionId, sessionId), gt(messages.seq, after), lte(messages.seq, upTo)))
    .orderBy(asc(messages.seq));
  return rows.map(fromRow);
}

/**
 * The statement that reads the newest messages of several sessions, oldest first: at most `maxMessages` of each
 * session, and fewer if they have more than `characters`. It reads no other rows.
 */
export function newestMessages(db: Database, sessionIds: string[], maxMessages: number, characters: number) {
  const isNew = gt(messages.seq, sql`${sessions.lastSeq} - ${maxMessages}`);
  const runningTotal = sql<number>`sum(length(${messages.content})) over (partition by ${messages.sessionId} order by ${messages.seq} desc)`;
  const ranked = db
    .select({ ...ownColumns, runningTotal: runningTotal.as("running_total") })
    .from(sessions)
    .innerJoin(messages, and(eq(messages.sessionId, sessions.id), isNew))
    .where(inArray(sessions.id, sql`(select value from json_each(${JSON.stringify(sessionIds)}))`))
    .as("ranked");
  return db
    .select()
    .from(ranked)
    .where(lte(ranked.runningTotal, characters))
    .orderBy(asc(ranked.sessionId), asc(ranked.seq));
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
