/**
 * Statements that write and delete messages, by hand because every append uses them. When they run, and in which
 * transaction, is decided in `write-messages.ts` and `sessions.ts`. Effects: none; it prepares statements.
 */
import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { isInLog, keyOf, numberOf } from "./message-keys.ts";

/** The id of a message's session, its `seq`, and the other columns of its row in their order. */
export type BoundValues = (string | number | null)[];

export const toBoundValues =
  (sessionId: string, appendedAt: EpochMs) =>
  ({ seq, chatId, turnId, role, content, createdAt, reply, author, parentSeq }: Message): BoundValues => [
    sessionId,
    seq,
    chatId,
    turnId,
    role,
    createdAt,
    appendedAt,
    author ? JSON.stringify(author) : null,
    parentSeq ?? null,
    content,
    reply === null ? null : JSON.stringify(reply),
  ];

/** Number of bound values per row. */
const VALUES_PER_ROW = 11;

/** Rows per statement, so that the bound values stay within D1's limit of 100. */
const ROWS_PER_STATEMENT = 9;

// Not with Drizzle: building the statement for each append would double its cost.
const INSERT_COLUMNS =
  "INSERT INTO messages (key, chat_id, turn_id, role, created_at, appended_at, author, parent_seq, content, detail)";

function insertStatement(count: number): string {
  // The simplest form for the most common case: parsing is half of the cost.
  if (count === 1) {
    return `${INSERT_COLUMNS} SELECT ${keyOf("number", "?2")}, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM sessions WHERE id = ?1 ON CONFLICT DO NOTHING`;
  }
  const row = `(${Array.from({ length: VALUES_PER_ROW }, () => "?").join(", ")})`;
  const others = Array.from({ length: VALUES_PER_ROW - 2 }, (_, index) => `column${index + 3}`).join(", ");
  return `${INSERT_COLUMNS} SELECT ${keyOf("number", "column2")}, ${others} FROM (VALUES ${Array.from({ length: count }, () => row).join(", ")})
    CROSS JOIN sessions ON id = column1 WHERE true ON CONFLICT DO NOTHING`;
}

const INSERT_MESSAGES = Array.from({ length: ROWS_PER_STATEMENT + 1 }, (_, count) => insertStatement(count));

/** The statements that insert rows, nine rows each. A trigger updates the session's row. */
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

/** How much text one statement inserts, in characters: D1 takes 2 MB for a bound value, and JSON can need six bytes a character. */
const FIRST_CHARACTERS = 250_000;

const insertFirst = (
  condition: string,
): string => `INSERT INTO messages (key, chat_id, role, created_at, appended_at, author, content)
  SELECT ${keyOf("sessions.number", "first.value ->> 0")}, first.value ->> 5, first.value ->> 1, first.value ->> 2, ?2, first.value ->> 3, first.value ->> 4
  FROM sessions CROSS JOIN json_each(?3) AS first WHERE sessions.id = ?1${condition} ON CONFLICT DO NOTHING`;

const INSERT_FIRST = {
  always: insertFirst(""),
  /** The statement before has inserted something: the session, or messages that come before these. */
  "if-created": insertFirst(" AND changes() > 0"),
};

/**
 * The statements that insert the messages of a new session: many at once, because D1 limits the number of statements.
 *
 * @param when `if-created` for a session whose id may be that of another one: run them right after its insert
 */
export function insertFirstMessages(
  db: Database,
  sessionId: string,
  log: Message[],
  appendedAt: EpochMs,
  when: keyof typeof INSERT_FIRST = "always",
) {
  const parts: string[][] = [];
  let characters = Infinity;
  for (const { seq, chatId, role, createdAt, author, content } of log) {
    characters += content.length;
    if (characters > FIRST_CHARACTERS) {
      parts.push([]);
      characters = content.length;
    }
    parts.at(-1)?.push(JSON.stringify([seq, role, createdAt, author ? JSON.stringify(author) : null, content, chatId]));
  }
  const insert = db.$client.prepare(INSERT_FIRST[when]);
  return parts.map((rows) => insert.bind(sessionId, appendedAt, `[${rows.join(",")}]`));
}

const DELETE_MESSAGES = `DELETE FROM messages WHERE ${isInLog("key", numberOf("?1"))}`;

/** The statement that deletes the messages of a session. Its row must still be there: it has the number in their keys. */
export const deleteMessages = (db: Database, sessionId: string): D1PreparedStatement =>
  db.$client.prepare(DELETE_MESSAGES).bind(sessionId);

const DELETE_SOME = `DELETE FROM messages WHERE key > ${keyOf(numberOf("?1"), "?2")} AND key <= ${keyOf(numberOf("?1"), "?3")}`;

/** The statement that deletes the messages of a session after a `seq` and up to another. */
export const deleteMessagesBetween = (db: Database, sessionId: string, after: number, upTo: number) =>
  db.$client.prepare(DELETE_SOME).bind(sessionId, after, upTo);

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
