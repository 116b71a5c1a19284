import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { foldText } from "../../src/core/fold.ts";
import { newObjectId } from "../../src/core/id.ts";

/** What there is to find in the seeded sessions. */
export interface Seeded {
  sessions: number;
  chatbotId: string;
  clientId: string;
}

/** Stands in the titles of a handful of sessions. */
export const RARE_WORD = "quokka";

/** Stands in about one title of seven, as every word of the vocabulary does. */
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

/** So many of the newest sessions have messages. */
const WITH_MESSAGES = 1_000;
const MESSAGES = 3;

/** How far apart the sessions were created, the newest at the moment below. */
const STEP_MS = 60_000;
const NEWEST = Date.UTC(2026, 0, 1);

/** Fills a local D1 database that nobody has open. The schema's triggers keep the search index and the counts. */
export function seedSessions(state: string, sessions: number): Seeded {
  const db = new DatabaseSync(databaseFile(state));
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  const chatbots = seedNamed(db, "chatbots", CHATBOTS, { endpoint_id: "bench", history_limit: 50 });
  const clients = seedNamed(db, "clients", CLIENTS, {});
  const [addSession, addMessage, random] = [inserter(db, "sessions"), inserter(db, "messages"), randomNumbers(7)];
  for (let nth = 0; nth < sessions; nth++) {
    const messages = nth >= sessions - WITH_MESSAGES ? MESSAGES : 0;
    const at = NEWEST - (sessions - nth) * STEP_MS;
    const id = newObjectId(at);
    const rare = nth % Math.floor(sessions / RARE_TITLES) === 0;
    const title = titleOf(random, rare);
    const refers = { chatbot_id: pick(random, chatbots), client_id: pick(random, clients) };
    addSession({ id, ...refers, ...aboutTitle(title), ...aboutState(random, at), ...constant(id) });
    for (let seq = 1; seq <= messages; seq++) addMessage(message(id, seq, at));
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

/** Inserts rows that all have the same columns. */
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

const aboutTitle = (title: string): Row => ({ title, title_folded: foldText(title) });

function aboutState(random: () => number, at: number): Row {
  const status = pick(random, ["ACTIVE", "TERMINATED", ...Array<string>(18).fill("COMPLETED")]);
  const ended = status === "ACTIVE" ? null : at + STEP_MS;
  return { status, start_time: at, end_time: ended, created_at: at, updated_at: ended ?? at };
}

const constant = (id: string): Row => ({
  kind: "chatbot",
  chats: JSON.stringify([{ chatId: id, endpointId: null }]),
  last_seq: 0,
  metadata_version: 0,
  message_count: 0,
});

const message = (id: string, seq: number, at: number): Row => ({
  session_id: id,
  seq,
  chat_id: id,
  role: seq % 2 === 0 ? "assistant" : "user",
  content: "Could you tell me where my parcel is? The number is 4711-0815.",
  created_at: at + seq * 1_000,
  appended_at: at + seq * 1_000,
});

/** Different words in random order. */
function titleOf(random: () => number, rare: boolean): string {
  const words = new Set(rare ? [RARE_WORD] : []);
  while (words.size < WORDS_IN_TITLE) words.add(pick(random, VOCABULARY));
  return [...words].join(" ");
}

const pick = <T>(random: () => number, from: T[]): T => from[Math.floor(random() * from.length)] as T;

/** The same numbers between 0 and 1 for the same seed: the linear congruential generator of Numerical Recipes. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
