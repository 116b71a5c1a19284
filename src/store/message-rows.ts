import type { Message } from "../core/message.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";

/** A message as its row binds it, in the order of the columns. */
export type Values = (string | number | null)[];

export const valuesOf =
  (sessionId: string, appendedAt: EpochMs) =>
  ({ seq, chatId, turnId, role, content, createdAt, reply }: Message): Values => [
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
const VALUES = 9;

/** Messages of one statement: what they bind stays within D1's 100 parameters. */
const AT_ONCE = 11;

// By hand: this is what every append costs, and to have it built anew each time would cost as much again.
const INSERT =
  "INSERT INTO messages (session_id, seq, chat_id, turn_id, role, content, created_at, detail, appended_at)";

function insertStatement(count: number): string {
  // The plainest form for the commonest case: to parse it is half of what it costs.
  if (count === 1) {
    return `${INSERT} SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM sessions WHERE id = ?1 ON CONFLICT DO NOTHING`;
  }
  const row = `(${Array.from({ length: VALUES }, () => "?").join(", ")})`;
  const others = Array.from({ length: VALUES - 1 }, (_, index) => `column${index + 2}`).join(", ");
  return `${INSERT} SELECT id, ${others} FROM (VALUES ${Array.from({ length: count }, () => row).join(", ")})
    CROSS JOIN sessions ON id = column1 WHERE true ON CONFLICT DO NOTHING`;
}

const INSERT_MESSAGES = Array.from({ length: AT_ONCE + 1 }, (_, count) => insertStatement(count));

/** The statements that carry messages to their rows, eleven in each; a trigger lets the session's row follow. */
export function insertRows(db: Database, rows: Values[]): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    statements.push(db.$client.prepare(INSERT_MESSAGES[some.length] ?? "").bind(...some.flat()));
  }
  return statements;
}

/**
 * The statements that carry messages of a session. Sending them twice changes nothing, nor does it for a session that is
 * gone.
 */
export const insertMessages = (db: Database, sessionId: string, log: Message[], appendedAt: EpochMs) => [
  ...insertRows(db, log.map(valuesOf(sessionId, appendedAt))),
  ...insertTurns(db, turnsOf(sessionId, log)),
];

/** Turns that messages belong to, by their prompts. */
const INSERT_TURNS = `INSERT INTO turns (session_id, turn_id, number, started_at)
  SELECT sessions.id, turn.value ->> 1, turn.value ->> 2, turn.value ->> 3
  FROM json_each(?) AS turn CROSS JOIN sessions ON sessions.id = turn.value ->> 0
  WHERE true ON CONFLICT DO NOTHING`;

/** A turn as its row binds it. */
export type TurnValues = [sessionId: string, turnId: string, number: number, startedAt: EpochMs];

/** The turns of some messages, each once. */
export function turnsOf(sessionId: string, log: Message[]): TurnValues[] {
  const turns = new Map<string, TurnValues>();
  for (const { turnId, turnNumber, createdAt } of log) {
    if (turnId !== null && turnNumber !== null && !turns.has(turnId))
      turns.set(turnId, [sessionId, turnId, turnNumber, createdAt]);
  }
  return [...turns.values()];
}

/** The statement that writes turns; none for no turn. */
export const insertTurns = (db: Database, turns: TurnValues[]): D1PreparedStatement[] =>
  turns.length === 0 ? [] : [db.$client.prepare(INSERT_TURNS).bind(JSON.stringify(turns))];
