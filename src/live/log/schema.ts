/**
 * The schema of an object's SQLite: the tables of a new storage, and the steps by which an older one gets the same. Do not
 * change a deployed step, because existing objects have run it already. Add a new step instead.
 *
 * Queries do not belong here: those are in `statements.ts`. Effects: storage.
 */
/** The tables as they are now. A new storage gets them at once: each step would write rows of the schema again. */
const TABLES = [
  "CREATE TABLE messages (seq INTEGER PRIMARY KEY, chat_id TEXT, turn_id TEXT, role TEXT NOT NULL, content TEXT NOT NULL, created_at INTEGER NOT NULL, detail TEXT, appended_at INTEGER NOT NULL, author TEXT, parent_seq INTEGER)",
  "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL)",
  "CREATE TABLE cached_context (one INTEGER PRIMARY KEY CHECK (one = 1), context TEXT NOT NULL)",
  "CREATE TABLE idempotency_keys (caller TEXT, key TEXT, fingerprint TEXT NOT NULL, seq INTEGER, turn_id TEXT, at INTEGER NOT NULL, PRIMARY KEY (caller, key))",
  "CREATE TABLE turns (number INTEGER PRIMARY KEY, turn_id TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL)",
  "CREATE TABLE drafts (one INTEGER PRIMARY KEY CHECK (one = 1), texts TEXT NOT NULL)",
];

/** For sessions with variants only: in every new storage it would write rows of the schema. */
export const CREATE_FORKS_INDEX = "CREATE INDEX IF NOT EXISTS forks ON messages (seq) WHERE parent_seq IS NOT NULL";

/** The steps of an older storage, in order. */
export const SCHEMA_STEPS: readonly (readonly string[])[] = [
  [
    "CREATE TABLE messages (seq INTEGER PRIMARY KEY, chat_id TEXT, turn_id TEXT, role TEXT NOT NULL, content TEXT NOT NULL, created_at INTEGER NOT NULL, detail TEXT, appended_at INTEGER NOT NULL)",
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL)",
    "CREATE TABLE known (one INTEGER PRIMARY KEY CHECK (one = 1), context TEXT NOT NULL)",
    "CREATE TABLE drafts (chat_id TEXT PRIMARY KEY, content TEXT NOT NULL)",
    "CREATE TABLE acknowledged (caller TEXT, key TEXT, fingerprint TEXT NOT NULL, seq INTEGER, turn_id TEXT, at INTEGER NOT NULL, PRIMARY KEY (caller, key))",
  ],
  [
    "CREATE TABLE turns (number INTEGER PRIMARY KEY, turn_id TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL)",
    "INSERT INTO turns (number, turn_id, started_at) SELECT row_number() OVER (ORDER BY min(seq)), turn_id, min(created_at) FROM messages WHERE turn_id IS NOT NULL GROUP BY turn_id",
    // A running turn may have no message yet.
    "INSERT OR IGNORE INTO turns (turn_id, started_at) SELECT state ->> '$.turn.turnId', unixepoch() * 1000 FROM state WHERE state ->> '$.turn.turnId' IS NOT NULL",
    "ALTER TABLE known RENAME TO cached_context",
    "ALTER TABLE acknowledged RENAME TO idempotency_keys",
    // The log is replicated again from its start: earlier code replicates messages without their turns, and may still have
    // run when D1 had made its turns.
    `UPDATE state SET state = json_remove(
      json_set(state,
        '$.replicated', json_object('lastSeq', 0, 'metadataVersion', state ->> '$.carried.amendments'),
        '$.deadLetters', json(coalesce(state -> '$.parked', '[]')),
        '$.session.metadataVersion', state ->> '$.session.amendments',
        '$.turn', json(CASE WHEN state ->> '$.turn' IS NULL THEN 'null' ELSE json_set(state -> '$.turn',
          '$.number', (SELECT number FROM turns WHERE turn_id = state ->> '$.turn.turnId'),
          '$.startedAt', (SELECT started_at FROM turns WHERE turn_id = state ->> '$.turn.turnId')) END)),
      '$.carried', '$.parked', '$.session.amendments')`,
  ],
  [
    `UPDATE state SET state = json_set(state, '$.bytes', (SELECT coalesce(sum(octet_length(content) + coalesce(octet_length(detail), 0)), 0)
      FROM messages WHERE seq <= state ->> '$.session.lastSeq'))`,
  ],
  [
    "ALTER TABLE drafts RENAME TO drafts_by_chat",
    "CREATE TABLE drafts (one INTEGER PRIMARY KEY CHECK (one = 1), texts TEXT NOT NULL)",
    // Cut, so that the texts of 64 replies fit into a row.
    "INSERT INTO drafts (one, texts) SELECT 1, json_group_array(json_array(chat_id, substr(content, 1, 4096))) FROM drafts_by_chat",
    "DROP TABLE drafts_by_chat",
  ],
  [
    "ALTER TABLE messages ADD COLUMN author TEXT",
    "UPDATE state SET state = json_set(state, '$.session.handler', 'bot', '$.session.handlerSince', NULL, '$.session.handover', NULL)",
  ],
  [
    "ALTER TABLE messages ADD COLUMN parent_seq INTEGER",
    "UPDATE state SET state = json_set(state, '$.session.activePath', NULL)",
    // Comparison sessions have no tree.
    "UPDATE messages SET parent_seq = seq - 1 WHERE detail IS NOT NULL AND content = '' AND EXISTS (SELECT 1 FROM state WHERE state ->> '$.session.kind' = 'chatbot')",
  ],
  [
    "UPDATE state SET state = json_set(state, '$.session.previousPrompts', NULL, '$.session.systemPrompt', NULL, '$.session.attackModule', NULL)",
  ],
  ["UPDATE state SET state = json_set(state, '$.session.bridge', NULL)"],
];

/** Whether the storage has no schema yet. */
export const isEmpty = (sql: SqlStorage): boolean =>
  sql.exec("SELECT name FROM sqlite_schema WHERE name = 'schema'").toArray().length === 0;

/** Creates the tables of a new storage. It is synchronous, so there are all of them or none. */
export function createTables(sql: SqlStorage): void {
  for (const statement of [CREATE_VERSION, ...TABLES]) sql.exec(statement);
  sql.exec(WRITE_VERSION, SCHEMA_STEPS.length);
}

const CREATE_VERSION = "CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL)";
const WRITE_VERSION = "INSERT INTO schema (version) VALUES (?)";

/** Runs the steps that a storage has not run yet. It is synchronous, so either all steps run or none. */
export function migrate(sql: SqlStorage, steps: readonly (readonly string[])[]): void {
  sql.exec(CREATE_VERSION);
  const [row] = sql.exec<{ version: number }>("SELECT version FROM schema").toArray();
  const version = row?.version ?? 0;
  if (version >= steps.length) return;
  for (const statement of steps.slice(version).flat()) sql.exec(statement);
  sql.exec("DELETE FROM schema");
  sql.exec(WRITE_VERSION, steps.length);
}
