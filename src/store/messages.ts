import { and, asc, eq, getTableColumns, gt, inArray, lte, sql } from "drizzle-orm";
import type { Message, ReplyDetail } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { messages, sessions } from "./tables.ts";

/** Rows of one read: what an answer of D1 holds comfortably, were each as long as a message may be. */
const READ_ROWS = 100;

type MessageRow = Omit<typeof messages.$inferSelect, "appendedAt">;

const { appendedAt: _appendedAt, ...columns } = getTableColumns(messages);

function fromRow(row: MessageRow): Message {
  const { sessionId: _sessionId, detail, ...message } = row;
  return { ...message, reply: detail === null ? null : (JSON.parse(detail) as ReplyDetail) };
}

// By hand: this is what every append costs, and to have it built anew each time would cost as much again.
const INSERT_MESSAGE = `INSERT INTO messages (session_id, seq, chat_id, turn_id, role, content, created_at, detail, appended_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM sessions WHERE id = ?1) ON CONFLICT DO NOTHING`;

/**
 * The statement that carries one message to its row; a trigger lets the session's row follow. Sending it twice changes
 * nothing, nor does it for a session that is gone.
 */
export function insertMessage(
  db: Database,
  sessionId: string,
  message: Message,
  appendedAt: EpochMs,
): D1PreparedStatement {
  const { seq, chatId, turnId, role, content, createdAt, reply } = message;
  const detail = reply === null ? null : JSON.stringify(reply);
  const statement = db.$client.prepare(INSERT_MESSAGE);
  return statement.bind(sessionId, seq, chatId, turnId, role, content, createdAt, detail, appendedAt);
}

/** The whole log of a session up to a message, oldest first. */
export async function readLog(db: Database, sessionId: string, lastSeq: number): Promise<Message[]> {
  const log: Message[] = [];
  for (let after = 0; after < lastSeq; after += READ_ROWS) {
    log.push(...(await readMessages(db, sessionId, after, Math.min(after + READ_ROWS, lastSeq))));
  }
  return log;
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
 * The statement that reads the newest messages of several sessions, at most `newest` of each, oldest first.
 * Reads only what it returns.
 */
export function newestMessages(db: Database, sessionIds: string[], newest: number) {
  const isNew = gt(messages.seq, sql`${sessions.lastSeq} - ${newest}`);
  return db
    .select(columns)
    .from(sessions)
    .innerJoin(messages, and(eq(messages.sessionId, sessions.id), isNew))
    .where(inArray(sessions.id, sql`(select value from json_each(${JSON.stringify(sessionIds)}))`))
    .orderBy(asc(messages.sessionId), asc(messages.seq));
}

/** Rows of {@link newestMessages}, by session. */
export function bySession(rows: MessageRow[]): Map<string, Message[]> {
  const found = new Map<string, Message[]>();
  for (const row of rows) {
    const log = found.get(row.sessionId) ?? [];
    log.push(fromRow(row));
    found.set(row.sessionId, log);
  }
  return found;
}
