/** The tables of a run's object, and rows of them. A change of them must do for the storage of runs that exist. Pure. */
export const TABLES = [
  "CREATE TABLE run (one INTEGER PRIMARY KEY CHECK (one = 1), plan TEXT NOT NULL, state TEXT NOT NULL)",
  "CREATE TABLE items (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first_turn INTEGER NOT NULL, turns INTEGER NOT NULL, expect TEXT, tags TEXT NOT NULL, finished INTEGER NOT NULL DEFAULT 0, passes TEXT NOT NULL DEFAULT '{}')",
  "CREATE TABLE prompts (number INTEGER PRIMARY KEY, content TEXT NOT NULL)",
  "CREATE TABLE conversations (number INTEGER PRIMARY KEY, session_id TEXT, attempt INTEGER NOT NULL, next_turn INTEGER NOT NULL, endpoints TEXT)",
  // The text comes last: SQLite reads a row from its start.
  "CREATE TABLE answers (number INTEGER PRIMARY KEY, item INTEGER NOT NULL, repetition INTEGER NOT NULL, turn INTEGER NOT NULL, endpoint INTEGER NOT NULL, session_id TEXT NOT NULL, record INTEGER NOT NULL, status TEXT NOT NULL, error_code TEXT, pass INTEGER, duration_ms INTEGER, ttft_ms INTEGER, input_tokens INTEGER, output_tokens INTEGER, cost REAL, text TEXT NOT NULL)",
  "CREATE TABLE answer_counts (block INTEGER NOT NULL, kind INTEGER NOT NULL, answers INTEGER NOT NULL, PRIMARY KEY (block, kind)) WITHOUT ROWID",
];

export interface ItemRow {
  [column: string]: SqlStorageValue;
  number: number;
  id: string;
  first_turn: number;
  turns: number;
  expect: string | null;
}

export interface ConversationRow {
  [column: string]: SqlStorageValue;
  number: number;
  session_id: string | null;
  attempt: number;
  next_turn: number;
  endpoints: string | null;
}

export interface FailedRow {
  [column: string]: SqlStorageValue;
  item: number;
  repetition: number;
  endpoint: number;
}
