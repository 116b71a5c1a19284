import { and, asc, eq, getTableColumns, gt, inArray, lte, sql } from "drizzle-orm";
import type { Message, ReplyDetail } from "../core/message.ts";
import { PART_CHARACTERS } from "../core/page.ts";
import type { Part } from "../core/page.ts";
import type { Database } from "./database.ts";
import { messages, sessions } from "./tables.ts";

/** Rows of one read: what an answer of D1 holds comfortably, were each as long as a message may be. */
const READ_ROWS = 100;

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

/** The log of a session up to a message, oldest first. @param from what comes behind this message */
export async function readLog(db: Database, sessionId: string, lastSeq: number, from = 0): Promise<Message[]> {
  const log: Message[] = [];
  for (let after = from; after < lastSeq; after += READ_ROWS) {
    log.push(...(await readMessages(db, sessionId, after, Math.min(after + READ_ROWS, lastSeq))));
  }
  return log;
}

/** Rows as long as they fit in a part, but one at least. */
const partOf = (which: string): string => `SELECT * FROM (
    SELECT *, sum(size) OVER (ORDER BY seq) AS held, count(*) OVER () AS found FROM (
      SELECT seq, chat_id AS chatId, turn_id AS turnId, role, content, created_at AS createdAt, detail, session_id AS sessionId,
        (SELECT number FROM turns WHERE turns.session_id = messages.session_id AND turns.turn_id = messages.turn_id) AS turnNumber,
        length(content) + coalesce(length(detail), 0) AS size
      FROM messages WHERE session_id = ?1 AND seq > ?2 ${which} ORDER BY seq LIMIT ?3
    )
  ) WHERE held <= ?4 OR held = size ORDER BY seq`;

const ALL = partOf("");
const SHOWN = partOf("AND (detail IS NULL OR content <> '')");

/** Messages after a `seq`, all or those that have text, oldest first: so many at most, and no more than fit in a part. */
export async function messagesPage(
  db: Database,
  sessionId: string,
  after: number,
  limit: number,
  which: "all" | "shown",
): Promise<Part<Message>> {
  // One more than is taken tells whether more follow.
  const statement = db.$client.prepare(which === "all" ? ALL : SHOWN);
  const asked = statement.bind(sessionId, after, limit + 1, PART_CHARACTERS);
  const { results } = await asked.all<MessageRow & { found: number }>();
  const items = results.slice(0, limit).map(fromRow);
  return { items, more: (results[0]?.found ?? 0) > items.length };
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
 * The statement that reads the newest messages of several sessions, oldest first: at most `newest` of each, and fewer
 * where they hold more than `characters`. Reads no other.
 */
export function newestMessages(db: Database, sessionIds: string[], newest: number, characters: number) {
  const isNew = gt(messages.seq, sql`${sessions.lastSeq} - ${newest}`);
  const held = sql<number>`sum(length(${messages.content})) over (partition by ${messages.sessionId} order by ${messages.seq} desc)`;
  const ranked = db
    .select({ ...ownColumns, held: held.as("held") })
    .from(sessions)
    .innerJoin(messages, and(eq(messages.sessionId, sessions.id), isNew))
    .where(inArray(sessions.id, sql`(select value from json_each(${JSON.stringify(sessionIds)}))`))
    .as("ranked");
  return db.select().from(ranked).where(lte(ranked.held, characters)).orderBy(asc(ranked.sessionId), asc(ranked.seq));
}

/** Rows of {@link newestMessages}, by session. */
export function bySession(rows: Omit<MessageRow, "turnNumber">[]): Map<string, Message[]> {
  const found = new Map<string, Message[]>();
  for (const row of rows) {
    const log = found.get(row.sessionId) ?? [];
    // Lists show no numbers of turns.
    log.push(fromRow({ ...row, turnNumber: null }));
    found.set(row.sessionId, log);
  }
  return found;
}
