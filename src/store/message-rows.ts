import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";

/** A message as its row binds it, in the order of the columns. */
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

/** What a message binds. */
const VALUES_PER_ROW = 9;

/** Messages of one statement: what they bind stays within D1's 100 parameters. */
const ROWS_PER_STATEMENT = 11;

// By hand: this is what every append costs, and to have it built anew each time would cost as much again.
const INSERT_COLUMNS =
  "INSERT INTO messages (session_id, seq, chat_id, turn_id, role, content, created_at, detail, appended_at)";

function insertStatement(count: number): string {
  // The plainest form for the commonest case: to parse it is half of what it costs.
  if (count === 1) {
    return `${INSERT_COLUMNS} SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM sessions WHERE id = ?1 ON CONFLICT DO NOTHING`;
  }
  const row = `(${Array.from({ length: VALUES_PER_ROW }, () => "?").join(", ")})`;
  const others = Array.from({ length: VALUES_PER_ROW - 1 }, (_, index) => `column${index + 2}`).join(", ");
  return `${INSERT_COLUMNS} SELECT id, ${others} FROM (VALUES ${Array.from({ length: count }, () => row).join(", ")})
    CROSS JOIN sessions ON id = column1 WHERE true ON CONFLICT DO NOTHING`;
}

const INSERT_MESSAGES = Array.from({ length: ROWS_PER_STATEMENT + 1 }, (_, count) => insertStatement(count));

/** The statements that carry messages to their rows, eleven in each; a trigger lets the session's row follow. */
export function insertRows(db: Database, rows: BoundValues[]): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const chunk = rows.slice(start, start + ROWS_PER_STATEMENT);
    statements.push(db.$client.prepare(INSERT_MESSAGES[chunk.length] ?? "").bind(...chunk.flat()));
  }
  return statements;
}

/**
 * The statements that carry messages of a session. Sending them twice changes nothing, nor does it for a session that is
 * gone.
 */
export const insertMessages = (db: Database, sessionId: string, log: Message[], appendedAt: EpochMs) =>
  insertRows(db, log.map(toBoundValues(sessionId, appendedAt)));
