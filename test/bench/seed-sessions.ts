/**
 * Fills a local D1 database with sessions, for the measurement of lists. It writes to the SQLite file, since 200,000 sessions over
 * HTTP would take too long.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { foldText } from "../../src/core/fold.ts";
import { newObjectId } from "../../src/core/id.ts";
import { MAX_SEQ } from "../../src/store/message-keys.ts";
import { MESSAGE_TEXT } from "./parley.ts";

/** What can be filtered by in the seeded sessions. */
export interface Seeded {
  sessions: number;
  chatbotId: string;
  clientId: string;
}

/** Is in the titles of eight sessions. */
export const RARE_WORD = "quokka";

/** Is in about one of seven titles, like every word of the vocabulary. */
export const COMMON_WORD = "invoice";

const VOCABULARY = (
  "invoice refund delivery password parcel address order voucher account warranty return upgrade question about late " +
  "missing damaged second wrong size colour payment contract change cancel Zürich Málaga support broken screen " +
  "battery renewal urgent gift complaint"
).split(" ");

const WORDS_IN_TITLE = 5;
const RARE_TITLES = 8;
const CHATBOTS = 8;
const CLIENTS = 500;

/** Only the newest sessions have messages. */
const WITH_MESSAGES = 1_000;
const MESSAGES = 3;

/** One session in so many has feedback, half of it good and half of it bad. */
const SESSIONS_PER_FEEDBACK = 4;

/** Time between the creation of two sessions. */
const STEP_MS = 60_000;
const NEWEST = Date.UTC(2026, 0, 1);

/** The database must not be open elsewhere. The triggers of the schema fill the search index and the counts. */
export function seedSessions(state: string, sessions: number): Seeded {
  const db = new DatabaseSync(databaseFile(state));
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  const chatbots = seedNamed(db, "chatbots", CHATBOTS, { endpoint_id: "bench", history_limit: 50 });
  const clients = seedNamed(db, "clients", CLIENTS, {});
  const [addSession, addMessage, random] = [inserter(db, "sessions"), inserter(db, "messages"), randomNumbers(7)];
  const addFeedback = inserter(db, "message_feedback");
  for (let nth = 0; nth < sessions; nth++) {
    const messages = nth >= sessions - WITH_MESSAGES ? MESSAGES : 0;
    const at = NEWEST - (sessions - nth) * STEP_MS;
    const id = newObjectId(at);
    const rare = nth % Math.floor(sessions / RARE_TITLES) === 0;
    const title = makeTitle(random, rare);
    const references = { chatbot_id: pick(random, chatbots), client_id: pick(random, clients) };
    addSession({ id, ...references, ...titleColumns(title), ...stateColumns(random, at), ...constantColumns(id) });
    for (let seq = 1; seq <= messages; seq++) addMessage(message(id, nth + 1, seq, at));
    if (nth % SESSIONS_PER_FEEDBACK === 0) addFeedback({ ...feedback(id, random, at), ...references });
  }
  db.exec("COMMIT");
  db.close();
  return { sessions, chatbotId: chatbots[0] ?? "", clientId: clients[0] ?? "" };
}

function databaseFile(state: string): string {
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`Expected one database in ${folder}`);
  return join(folder, file);
}

type Row = Record<string, string | number | null>;

/** @returns inserts a row. All rows must have the same columns */
function inserter(db: DatabaseSync, table: string): (row: Row) => void {
  let insert: ReturnType<DatabaseSync["prepare"]> | undefined;
  return (row) => {
    const columns = Object.keys(row);
    insert ??= db.prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`);
    insert.run(...Object.values(row));
  };
}

/** @returns the ids */
function seedNamed(db: DatabaseSync, table: string, count: number, others: Row): string[] {
  const add = inserter(db, table);
  return Array.from({ length: count }, (_, nth) => {
    const id = newObjectId(NEWEST);
    const name = `${table} ${nth + 1}`;
    add({ id, name, name_folded: foldText(name), created_at: NEWEST, updated_at: NEWEST, ...others });
    return id;
  });
}

const titleColumns = (title: string): Row => ({ title, title_folded: foldText(title) });

function stateColumns(random: () => number, at: number): Row {
  const status = pick(random, ["ACTIVE", "TERMINATED", ...Array<string>(18).fill("COMPLETED")]);
  const ended = status === "ACTIVE" ? null : at + STEP_MS;
  return { status, start_time: at, end_time: ended, created_at: at, updated_at: ended ?? at };
}

const constantColumns = (id: string): Row => ({
  kind: "chatbot",
  chats: JSON.stringify([{ chatId: id, endpointId: null }]),
  last_seq: 0,
  metadata_version: 0,
  message_count: 0,
});

const message = (id: string, sessionNumber: number, seq: number, at: number): Row => ({
  key: sessionNumber * (MAX_SEQ + 1) + seq,
  chat_id: id,
  role: seq % 2 === 0 ? "assistant" : "user",
  content: MESSAGE_TEXT,
  created_at: at + seq * 1_000,
  appended_at: at + seq * 1_000,
});

const feedback = (id: string, random: () => number, at: number): Row => ({
  session_id: id,
  seq: 2,
  rating: pick(random, [1, -1]),
  updated_at: at + 5_000,
  tags: "[]",
  rated: JSON.stringify({ createdAt: at + 2_000, finishReason: "stop", answered: { seq: 1, createdAt: at + 1_000 } }),
  content: MESSAGE_TEXT,
  answered_content: MESSAGE_TEXT,
});

function makeTitle(random: () => number, rare: boolean): string {
  const words = new Set(rare ? [RARE_WORD] : []);
  while (words.size < WORDS_IN_TITLE) words.add(pick(random, VOCABULARY));
  return [...words].join(" ");
}

const pick = <T>(random: () => number, from: T[]): T => from[Math.floor(random() * from.length)] as T;

/** Numbers from 0 to 1, always the same for a seed: the linear congruential generator of Numerical Recipes. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
