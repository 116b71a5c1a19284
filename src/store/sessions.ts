/**
 * Sessions in D1: creates, finds, updates and deletes single sessions. Lists are in `session-list.ts`. After creation
 * only the session's object (`live/`) calls the functions that write. Effects: D1.
 */
import { and, eq, isNull, lte, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Message } from "../core/message.ts";
import { endpointOf } from "../core/session.ts";
import type { ChangeableField, Session } from "../core/session.ts";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { toStatement } from "./database.ts";
import { insertOnce } from "./insert-once.ts";
import { removeSubscriptions } from "./subscriptions.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { deleteMessages, insertFirstMessages, insertMessages } from "./message-rows.ts";
import { removeDeadLetters } from "./dead-letters.ts";
import { removeFeedbackOf } from "./message-feedback.ts";
import { chatbots, clients, endpoints, sessions, turns } from "./tables.ts";

export type SessionRow = typeof sessions.$inferSelect;

export function toSession(row: SessionRow): Session {
  const { number: _number, titleFolded: _titleFolded, foldVersion: _foldVersion, ...fields } = row;
  const { archiveCheckedAt: _archiveCheckedAt, runId: _runId, ...session } = fields;
  return { ...session, chatbotId: session.chatbotId || null, clientId: session.clientId || null };
}

/** The id of the chatbot and the client of a session with an endpoint, in D1: triggers count sessions by both. */
const NONE = "";

export const toRow = (session: Session) => ({
  ...session,
  titleFolded: session.title === null ? null : foldText(session.title),
  foldVersion: FOLD_VERSION,
  archiveCheckedAt: session.createdAt,
});

/**
 * Creates a chatbot session with its first messages: a greeting, or the messages of a branch. One round trip.
 *
 * @param moreStatements statements for the same transaction
 * @returns whether the session was created. It is not if its chatbot, client or endpoint was deleted meanwhile.
 */
export async function createChatbotSession(
  db: Database,
  session: Session,
  messages: Message[],
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> {
  const row = toRow(session);
  const create = db.insert(sessions).select(
    sql`select null, ${row.id}, ${row.kind}, ${row.title}, ${row.titleFolded}, ${row.foldVersion}, ${row.description}, ${row.status},
        ${row.startTime}, ${row.endTime}, ${row.dueAt}, ${row.chatbotId ?? NONE}, ${row.clientId ?? NONE}, ${JSON.stringify(row.chats)}, ${row.promptTemplate},
        ${row.contextStrategy}, null, null, null, ${row.metadata}, ${row.feedback === null ? null : JSON.stringify(row.feedback)}, ${row.createdAt},
        ${row.updatedAt}, ${row.lastSeq}, ${row.metadataVersion}, ${row.messageCount}, null, ${row.archiveCheckedAt},
        ${row.handler}, ${row.handlerSince}, null, null, null, null, null where ${partiesExist(session)}`,
  );
  // A second attempt finds the row of the first, and counts as having created it.
  const insert = create.onConflictDoUpdate({ target: sessions.id, set: { id: row.id } });
  const insertFirst = insertFirstMessages(db, session.id, messages, session.createdAt);
  const statements = [toStatement(db, insert), ...insertFirst, ...moreStatements];
  const [created] = await retryOnce(() => db.$client.batch(statements));
  return (created?.meta.changes ?? 0) > 0;
}

function partiesExist(session: Session): SQL {
  const endpointId = endpointOf(session);
  if (endpointId !== null) return sql`exists (select 1 from ${endpoints} where ${endpoints.id} = ${endpointId})`;
  return sql`exists (select 1 from ${chatbots} where ${chatbots.id} = ${session.chatbotId} and ${chatbots.deletedAt} is null)
    and exists (select 1 from ${clients} where ${clients.id} = ${session.clientId} and ${clients.deletedAt} is null)`;
}

/**
 * Creates a comparison session with its first messages. One round trip.
 *
 * @param moreStatements statements for the same transaction
 * @returns whether the session was created. It is not if its id exists.
 */
export const createComparisonSession = (
  db: Database,
  session: Session,
  messages: Message[],
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> => {
  const insertFirst = insertFirstMessages(db, session.id, messages, session.createdAt, "if-created");
  return insertOnce(db, sessions, toRow(session), sessions.id, [...insertFirst, ...moreStatements]);
};

/** A session without its log; `null` if there is none. Reads one row. */
export async function findSession(db: Database, id: string): Promise<Session | null> {
  const row = await db.select().from(sessions).where(eq(sessions.id, id)).get();
  return row ? toSession(row) : null;
}

/**
 * The client of a session; `null` if there is no such session, or if it has no client or a deleted one. Reads two rows.
 */
export async function clientOfSession(db: Database, id: string): Promise<string | null> {
  const found = await db
    .select({ clientId: clients.id })
    .from(sessions)
    .innerJoin(clients, eq(clients.id, sessions.clientId))
    .where(and(eq(sessions.id, id), isNull(clients.deletedAt)))
    .get();
  return found?.clientId ?? null;
}

/**
 * Writes messages and the session's state in one transaction and one round trip. Idempotent. An older copy of the
 * session never overwrites a newer one.
 *
 * @param changed the fields that have changed; `null` if only the log has. Then each message writes two rows and no index.
 */
export async function writeSession(
  db: Database,
  session: Session,
  log: Message[],
  changed: readonly ChangeableField[] | null,
): Promise<void> {
  const inserts = insertMessages(db, session.id, log, session.updatedAt);
  await db.$client.batch(
    changed === null ? inserts : [...inserts, toStatement(db, updateSession(db, session, changed))],
  );
}

/** Sets only what has changed: SQLite rewrites each index that has a column of the statement, also if its value is the same. */
function updateSession(db: Database, session: Session, changed: readonly ChangeableField[]) {
  const { id, updatedAt, metadataVersion, titleFolded, foldVersion, ...row } = toRow(session);
  const fields = Object.fromEntries(changed.map((field) => [field, row[field]]));
  const folded = changed.includes("title") ? { titleFolded, foldVersion } : {};
  return db
    .update(sessions)
    .set({ ...fields, ...folded, updatedAt, metadataVersion })
    .where(and(eq(sessions.id, id), lte(sessions.metadataVersion, metadataVersion)));
}

/** Deletes a session, its log and the feedback on it. One round trip. */
export async function deleteSession(db: Database, id: string): Promise<void> {
  const statements = [
    db.delete(sessions).where(eq(sessions.id, id)),
    forgetResponse(db, `session:${id}`),
    db.delete(turns).where(eq(turns.sessionId, id)),
    removeDeadLetters(db, id),
    removeSubscriptions(db, id),
    removeFeedbackOf(db, id),
  ];
  await db.$client.batch([deleteMessages(db, id), ...statements.map((statement) => toStatement(db, statement))]);
}
