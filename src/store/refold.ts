/**
 * Folds texts again that were folded with older rules (`core/fold.ts`): titles of sessions, names of chatbots and
 * clients. SQLite cannot normalize text, so a migration cannot do it. Partial indexes list the remaining rows, so a run
 * without work reads one row per table. No other column changes; triggers update the full-text index. Effects: D1.
 */
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Database } from "./database.ts";
import { isFoldedByOlderRules } from "./tables.ts";

/** Rows that D1 reads and writes at once, in about 40 ms. It serves no other query meanwhile. */
const BATCH_ROWS = 1000;

/** A text can become 18 times longer when it is folded, and a D1 parameter takes 2 MB. */
const BATCH_CHARACTERS = 500_000;

/** Batches per table and run. Each takes two queries, and a Worker on the free plan may make 50 in total. */
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
    // Skips rows whose text has changed since: they were folded with the current rules.
    update: `UPDATE ${table} SET ${text}_folded = value ->> 'folded', fold_version = ${FOLD_VERSION}
      FROM json_each(?) WHERE ${table}.${key} = value ->> 'key' AND ${text} = value ->> 'text'`,
  };
}

const TABLES = {
  chatbots: statementsOf("chatbots", "id", "name", ""),
  clients: statementsOf("clients", "id", "name", ""),
  sessions: statementsOf("sessions", "number", "title", 0),
};

/**
 * One run, in batches.
 *
 * @returns the number of processed rows per table. The next run processes the rest.
 */
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

/** As many folded rows as fit into one statement. */
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
