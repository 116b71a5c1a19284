/**
 * Statements that write messages: inserts, by hand because every append uses them, and the removal of archived ones. When they run, and in which
 * transaction, is decided in `write-messages.ts` and `sessions.ts`. Effects: none; it prepares statements.
 */
import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";

/** The values of a message's row, in the order of the columns. */
export type BoundValues = (string | number | null)[];

export const toBoundValues =
  (sessionId: string, appendedAt: EpochMs) =>
  ({ seq, chatId, turnId, role, content, createdAt, reply }: Message): BoundValues => [
    sessionId,
    seq,
    chatId,
    turnId,
    role,
    content,
    createdAt,
    reply === null ? null : JSON.stringify(reply),
    appendedAt,
  ];

/** Number of bound values per row. */
const VALUES_PER_ROW = 9;

/** Rows per statement, so that the bound values stay within D1's limit of 100. */
const ROWS_PER_STATEMENT = 11;

// Not with Drizzle: building the statement for each append would double its cost.
const INSERT_COLUMNS =
  "INSERT INTO messages (session_id, seq, chat_id, turn_id, role, content, created_at, detail, appended_at)";

function insertStatement(count: number): string {
  // The simplest form for the most common case: parsing is half of the cost.
  if (count === 1) {
    return `${INSERT_COLUMNS} SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM sessions WHERE id = ?1 ON CONFLICT DO NOTHING`;
  }
  const row = `(${Array.from({ length: VALUES_PER_ROW }, () => "?").join(", ")})`;
  const others = Array.from({ length: VALUES_PER_ROW - 1 }, (_, index) => `column${index + 2}`).join(", ");
  return `${INSERT_COLUMNS} SELECT id, ${others} FROM (VALUES ${Array.from({ length: count }, () => row).join(", ")})
    CROSS JOIN sessions ON id = column1 WHERE true ON CONFLICT DO NOTHING`;
}

const INSERT_MESSAGES = Array.from({ length: ROWS_PER_STATEMENT + 1 }, (_, count) => insertStatement(count));

/** The statements that insert rows, eleven rows each. A trigger updates the session's row. */
export function insertRows(db: Database, rows: BoundValues[]): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const chunk = rows.slice(start, start + ROWS_PER_STATEMENT);
    statements.push(db.$client.prepare(INSERT_MESSAGES[chunk.length] ?? "").bind(...chunk.flat()));
  }
  return statements;
}

/** The statements that insert messages of a session. They are idempotent, and do nothing for a deleted session. */
export const insertMessages = (db: Database, sessionId: string, log: Message[], appendedAt: EpochMs) => [
  ...insertRows(db, log.map(toBoundValues(sessionId, appendedAt))),
  ...insertTurns(db, turnsOf(sessionId, log)),
];

/** Idempotent, and does nothing for a deleted session. */
const INSERT_TURNS = `INSERT INTO turns (session_id, turn_id, number, started_at)
  SELECT sessions.id, turn.value ->> 1, turn.value ->> 2, turn.value ->> 3
  FROM json_each(?) AS turn CROSS JOIN sessions ON sessions.id = turn.value ->> 0
  WHERE true ON CONFLICT DO NOTHING`;

/** A turn as bound values. */
export type BoundTurn = [sessionId: string, turnId: string, number: number, startedAt: EpochMs];

/** The turns that messages belong to, each once. */
export function turnsOf(sessionId: string, log: Message[]): BoundTurn[] {
  const turns = new Map<string, BoundTurn>();
  for (const { turnId, turnNumber, createdAt } of log) {
    if (turnId !== null && turnNumber !== null && !turns.has(turnId))
      turns.set(turnId, [sessionId, turnId, turnNumber, createdAt]);
  }
  return [...turns.values()];
}

/** The statement that inserts turns; none if there are none. */
export const insertTurns = (db: Database, turns: BoundTurn[]): D1PreparedStatement[] =>
  turns.length === 0 ? [] : [db.$client.prepare(INSERT_TURNS).bind(JSON.stringify(turns))];

/** The statement that deletes the messages of a session after a `seq` and up to another. */
export const deleteMessages = (db: Database, sessionId: string, after: number, upTo: number): D1PreparedStatement =>
  db.$client.prepare("DELETE FROM messages WHERE session_id = ? AND seq > ? AND seq <= ?").bind(sessionId, after, upTo);
