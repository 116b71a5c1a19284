import { and, asc, eq, getTableColumns, gt, inArray, lte, sql } from "drizzle-orm";
import type { Message, ReplyDetail } from "../core/message.ts";
import type { Database } from "./database.ts";
import { messages, sessions } from "./tables.ts";

/** Rows of one read: what an answer of D1 holds comfortably, were each as long as a message may be. */
const READ_ROWS = 100;

type MessageRow = typeof messages.$inferSelect;

function fromRow(row: MessageRow): Message {
  const { sessionId: _sessionId, detail, ...message } = row;
  return { ...message, reply: detail === null ? null : (JSON.parse(detail) as ReplyDetail) };
}

/** The statement that carries one message to its row. Sending it twice changes nothing, nor does it for a session that is gone. */
export function insertMessage(db: Database, sessionId: string, { reply, ...message }: Message) {
  const detail = reply === null ? null : JSON.stringify(reply);
  return db
    .insert(messages)
    .select(
      sql`select ${sessionId}, ${message.seq}, ${message.chatId}, ${message.turnId}, ${message.role}, ${message.content}, ${message.createdAt}, ${detail}
          where exists (select 1 from ${sessions} where ${sessions.id} = ${sessionId})`,
    )
    .onConflictDoNothing();
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
    .select()
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
    .select(getTableColumns(messages))
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
