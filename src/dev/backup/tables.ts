/**
 * What a backup contains: the tables of D1 with rows of their own, in the order in which they are copied, and the folder of
 * files that holds them.
 *
 * Reads the schema of a database, and the list of a backup's tables.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { UserError } from "../program.ts";

/** A value of a column. Parley stores no blobs. */
export type Value = string | number | null;
export type Row = Record<string, Value>;

export interface Table {
  name: string;
  /** The columns of the primary key, in its order. */
  key: string[];
}

/**
 * Sessions come before messages: a message that is newer than the copy of its session then counts, by the trigger of
 * `messages`.
 */
const FIRST = ["sessions", "messages", "turns"];

/**
 * Triggers fill it with what is restored, but it also counts what was deleted. So it comes last, and each row of the backup
 * replaces one that has counted less. {@link onConflict}
 */
const STATISTICS = "daily_statistics";

/**
 * Filled by triggers, or by the migrations, which are applied before a backup is restored. `session_uses` is about the
 * objects of this deployment.
 */
const DERIVED = ["session_counts", "session_uses", "feedback_counts", "feedback_tags", "d1_migrations"];

/** The tables of a database that a backup copies. Virtual tables and their shadow tables are filled by triggers. */
export async function readTables(db: D1Database): Promise<Table[]> {
  const { results } = await db
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all<{ name: string; sql: string }>();
  const virtual = results.filter(({ sql }) => /^CREATE VIRTUAL TABLE/i.test(sql)).map(({ name }) => name);
  const isOwn = (name: string) =>
    !/^(sqlite_|_cf_)/.test(name) &&
    !DERIVED.includes(name) &&
    !virtual.some((table) => name === table || name.startsWith(`${table}_`));
  const names = results.map(({ name }) => name).filter(isOwn);
  const others = names.filter((name) => !FIRST.includes(name) && name !== STATISTICS);
  const ordered = [...FIRST, ...others, STATISTICS].filter((name) => names.includes(name));
  return Promise.all(ordered.map(async (name) => ({ name, key: await readKey(db, name) })));
}

async function readKey(db: D1Database, table: string): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
    .bind(table)
    .all<{ name: string }>();
  if (results.length === 0) throw new Error(`The table ${table} has no primary key, by which it could be paged.`);
  return results.map(({ name }) => name);
}

/** The name of the newest migration of a database. @throws {@link UserError} when it has none */
export async function newestMigration(db: D1Database): Promise<string> {
  const query = db.prepare("SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1");
  const row = await query.first<{ name: string }>().catch(() => null);
  if (row) return row.name;
  throw new UserError(
    "This database has no tables yet. Apply the migrations first: npx wrangler d1 migrations apply DB",
  );
}

/** What only grows in a row of statistics. */
const counted = (row: string): string =>
  ["sessions", "turns", "messages", "takeovers"].map((column) => `${row}.${column}`).join(" + ");

/** What becomes of a row of the backup whose key is there already. */
export function onConflict(table: string, columns: string[]): string {
  if (table !== STATISTICS) return "ON CONFLICT DO NOTHING";
  const values = columns.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(", ");
  return `ON CONFLICT (scope, id, day) DO UPDATE SET ${values} WHERE ${counted("excluded")} > ${counted(STATISTICS)}`;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const tableFile = (folder: string, table: string): string => join(folder, `${table}.jsonl`);

/** Written last: a folder without it has a backup that is not finished. */
export const manifestFile = (folder: string): string => join(folder, "backup.json");

const Manifest = z.object({
  finishedAt: z.string(),
  migration: z.string(),
  /** Rows of each table, in the order in which they are restored. */
  tables: z.array(z.object({ name: z.string(), rows: z.number() })),
  /** Archived logs. */
  archives: z.number().default(0),
});
export type Manifest = z.output<typeof Manifest>;

/** @throws {@link UserError} when the folder has no finished backup */
export function readManifest(folder: string): Manifest {
  if (existsSync(manifestFile(folder))) return Manifest.parse(JSON.parse(readFileSync(manifestFile(folder), "utf8")));
  throw new UserError(
    `${folder} has no finished backup: backup.json is missing. Run the same npm run backup again to finish it.`,
  );
}
