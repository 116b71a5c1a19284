/**
 * Copies the tables of a database into a folder, as JSON Lines: one file a table, one row a line.
 *
 * Reads the database page by page, by primary key, and never holds more than a page. The database goes on serving meanwhile,
 * so a backup is not the state of one moment.
 */
import { appendFileSync, existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_SEQ } from "../../store/message-keys.ts";
import { UserError } from "../program.ts";
import { writeArchives } from "./archive.ts";
import type { Row, Table } from "./tables.ts";
import { manifestFile, newestMigration, quote, readTables, tableFile } from "./tables.ts";
import { lines } from "./lines.ts";

const FIRST_PAGE_ROWS = 100;
const MAX_PAGE_ROWS = 5_000;

/** What a page should have, in characters. A single row may have more. */
const PAGE_CHARACTERS = 2_000_000;

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;

/**
 * Writes a backup. A folder with an unfinished one is continued after its last whole line.
 *
 * @param report gets a line of text for each table
 * @param archive the bucket; `null` if there is none
 */
export async function writeBackup(
  db: D1Database,
  folder: string,
  report: (text: string) => void,
  archive: R2Bucket | null = null,
): Promise<void> {
  if (existsSync(manifestFile(folder)))
    throw new UserError(`${folder} has a finished backup. Choose another folder: --folder`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const migration = await newestMigration(db);
  const tables = [];
  for (const table of await readTables(db)) {
    const upTo = table.name === "messages" ? await lastKeyOf(tableFile(folder, "sessions")) : null;
    const rows = await copyTable(db, { ...table, upTo }, tableFile(folder, table.name));
    report(`${table.name}: ${rows} rows`);
    tables.push({ name: table.name, rows });
  }
  const archives = await writeArchives(db, archive, folder);
  report(`archived sessions: ${archives}`);
  const manifest = { finishedAt: new Date().toISOString(), migration, tables, archives };
  writeFileSync(manifestFile(folder), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * The largest key that a message of a copied session can have. Sessions that begin while the backup runs are not in it, and
 * neither are their messages: in a restored database, other sessions get their numbers.
 */
async function lastKeyOf(sessions: string): Promise<number> {
  const { last } = await readCopied(sessions);
  return (Number(last?.["number"] ?? 0) + 1) * (MAX_SEQ + 1);
}

/** A table, and the last key that is copied; `null` for all. */
type Copied = Table & { upTo: number | null };

/** @returns how many rows the file has then */
async function copyTable(db: D1Database, table: Copied, file: string): Promise<number> {
  let { rows, last } = await readCopied(file);
  let limit = FIRST_PAGE_ROWS;
  for (;;) {
    const page = await readPage(db, table, last, limit);
    limit = page.limit;
    if (page.rows.length === 0) return rows;
    const text = page.rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    appendFileSync(file, text);
    rows += page.rows.length;
    last = page.rows.at(-1) ?? null;
    limit = Math.max(1, Math.min(MAX_PAGE_ROWS, Math.floor((page.rows.length * PAGE_CHARACTERS) / text.length)));
  }
}

/** Reads what an earlier run has copied, and removes its last line if that is not whole. */
async function readCopied(file: string): Promise<{ rows: number; last: Row | null }> {
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600 });
  let [rows, size, last]: [number, number, string | null] = [0, 0, null];
  for await (const line of lines(file)) {
    rows += 1;
    size += Buffer.byteLength(line) + 1;
    last = line;
  }
  if (size < statSync(file).size) truncateSync(file, size);
  return { rows, last: last === null ? null : (JSON.parse(last) as Row) };
}

/** Reads the rows after one. A page that D1 cannot answer is tried again, each time with fewer rows. */
async function readPage(db: D1Database, { name, key, upTo }: Copied, after: Row | null, rows: number) {
  const columns = key.map(quote).join(", ");
  const conditions = [
    ...(after === null ? [] : [`(${columns}) > (${key.map(() => "?").join(", ")})`]),
    ...(upTo === null ? [] : [`${columns} <= ?`]),
  ];
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const values = [
    ...(after === null ? [] : key.map((column) => after[column] ?? null)),
    ...(upTo === null ? [] : [upTo]),
  ];
  let limit = rows;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const query = db.prepare(`SELECT * FROM ${quote(name)} ${where} ORDER BY ${columns} LIMIT ${limit}`);
      return { rows: (await query.bind(...values).all<Row>()).results, limit };
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new UserError(`Reading ${name} failed. Run the same command again to go on: ${String(error)}`);
      limit = Math.max(1, Math.floor(limit / 10));
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}
