/**
 * Folds the texts of rows again that were folded by older rules (`core/fold.ts`): titles of sessions, names of chatbots and
 * clients. SQLite cannot normalise text, so no migration can do it. Partial indexes hold the rows that are left, so a pass
 * without work costs one read a table. Nothing else of a row changes; triggers keep the full-text index in step.
 */
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Database } from "./database.ts";
import { isFoldedByOlderRules } from "./tables.ts";

/** What D1 reads and writes at once, in about 40 ms: it serves nobody else meanwhile. */
const BATCH_ROWS = 1000;

/** A text may fold to eighteen times its length, and D1 takes 2 MB as a parameter. */
const BATCH_CHARACTERS = 500_000;

/** Portions of a table in one pass. Two queries each: a Worker on the free plan may make 50 in all. */
const MAX_BATCHES = 7;

interface Row {
  key: string | number;
  text: string;
}

interface Statements {
  select: string;
  update: string;
  /** Less than every key. */
  start: string | number;
}

function statementsOf(table: string, key: string, text: "title" | "name", start: string | number): Statements {
  return {
    start,
    select: `SELECT ${key} AS key, ${text} AS text FROM ${table} INDEXED BY ${table}_to_refold
      WHERE ${isFoldedByOlderRules(text)} AND ${key} > ? ORDER BY ${key} LIMIT ${BATCH_ROWS}`,
    // Not where the text was changed meanwhile: then it has been folded by the present rules.
    update: `UPDATE ${table} SET ${text}_folded = value ->> 'folded', fold_version = ${FOLD_VERSION}
      FROM json_each(?) WHERE ${table}.${key} = value ->> 'key' AND ${text} = value ->> 'text'`,
  };
}

const TABLES = {
  chatbots: statementsOf("chatbots", "id", "name", ""),
  clients: statementsOf("clients", "id", "name", ""),
  sessions: statementsOf("sessions", "number", "title", 0),
};

/** One pass, in portions. @returns how many rows of each table it took up; what is left comes with the next pass */
export async function refoldTexts(db: Database): Promise<Record<keyof typeof TABLES, number>> {
  return {
    chatbots: await refoldTable(db, TABLES.chatbots),
    clients: await refoldTable(db, TABLES.clients),
    sessions: await refoldTable(db, TABLES.sessions),
  };
}

async function refoldTable({ $client }: Database, { select, update, start }: Statements): Promise<number> {
  let after = start;
  let count = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const { results } = await $client.prepare(select).bind(after).all<Row>();
    const folded = foldBatch(results);
    const last = folded.at(-1);
    if (!last) break;
    await $client.prepare(update).bind(JSON.stringify(folded)).run();
    after = last.key;
    count += folded.length;
  }
  return count;
}

/** As many of the rows as go into one statement, folded. */
function foldBatch(rows: Row[]): (Row & { folded: string })[] {
  const batch: (Row & { folded: string })[] = [];
  let characters = 0;
  for (const { key, text } of rows) {
    const folded = foldText(text);
    characters += text.length + folded.length;
    if (characters > BATCH_CHARACTERS && batch.length > 0) break;
    batch.push({ key, text, folded });
  }
  return batch;
}
