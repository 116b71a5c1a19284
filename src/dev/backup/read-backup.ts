/**
 * Writes a backup into a database that has its migrations, and best nothing else.
 *
 * Writes to the database, a batch of rows at a time. Rows that are already there stay as they are, but for
 * statistics that have counted less. So a restore that broke off is simply run again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../program.ts";
import { readArchives, requireArchive } from "./archive.ts";
import { lines } from "./lines.ts";
import type { Row } from "./tables.ts";
import { newestMigration, onConflict, quote, readManifest, tableFile } from "./tables.ts";

/** What D1 takes at once: values of a statement, and on the free plan statements of a batch. */
const STATEMENT_VALUES = 100;
const BATCH_STATEMENTS = 50;

const BATCH_CHARACTERS = 1_000_000;

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;

/**
 * @param report gets a line of text for each table
 * @param archive the bucket; `null` if there is none
 */
export async function readBackup(
  db: D1Database,
  folder: string,
  report: (text: string) => void,
  archive: R2Bucket | null = null,
): Promise<void> {
  const { migration, tables, archives } = readManifest(folder);
  const present = await newestMigration(db);
  if (present !== migration) {
    throw new UserError(
      `The backup was made with the migration ${migration}, and this database has ${present}.\n` +
        "Restore with the version of Parley that made the backup, then deploy the newer one, which migrates it.",
    );
  }
  if (archives > 0) requireArchive(archive);
  for (const { name, rows } of tables) {
    const written = await restoreTable(db, name, tableFile(folder, name));
    if (written !== rows) throw new UserError(`${name}.jsonl has ${written} rows, and the backup had ${rows}.`);
    report(`${name}: ${rows} rows`);
  }
  const restored = await readArchives(db, archive, folder);
  if (restored !== archives)
    throw new UserError(`archives.jsonl has ${restored} lines, and the backup had ${archives}.`);
  report(`archived sessions: ${archives}`);
}

async function restoreTable(db: D1Database, table: string, file: string): Promise<number> {
  let [batch, characters, count]: [Row[], number, number] = [[], 0, 0];
  const write = async () => {
    await insert(db, table, batch);
    if (table === "sessions") await checkSessions(db, batch);
    [batch, characters] = [[], 0];
  };
  for await (const line of lines(file)) {
    const row = JSON.parse(line) as Row;
    batch.push(row);
    characters += line.length;
    count += 1;
    if (batch.length < rowsPerStatement(row) * BATCH_STATEMENTS && characters < BATCH_CHARACTERS) continue;
    await write();
  }
  await write();
  return count;
}

const COUNT_SESSIONS = `SELECT count(*) AS present FROM json_each(?) AS restored
  CROSS JOIN sessions ON sessions.number = restored.value ->> 0 AND sessions.id = restored.value ->> 1`;

/** Messages name their session by its number: under the number of another session they would become part of that one. */
async function checkSessions(db: D1Database, rows: Row[]): Promise<void> {
  const expected = JSON.stringify(rows.map(({ number, id }) => [number, id]));
  const present = await db.prepare(COUNT_SESSIONS).bind(expected).first<number>("present");
  if (present !== rows.length)
    throw new UserError(
      "This database has sessions of its own, which the backup does not know. Restore into an empty one.",
    );
}

const rowsPerStatement = (row: Row): number => Math.max(1, Math.floor(STATEMENT_VALUES / Object.keys(row).length));

async function insert(db: D1Database, table: string, rows: Row[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const size = rowsPerStatement(first);
  const groups = rows.flatMap((_, index) => (index % size === 0 ? [rows.slice(index, index + size)] : []));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await db.batch(groups.map((group) => insertStatement(db, table, group)));
      return;
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new UserError(`Writing ${table} failed. Run the same command again to go on: ${String(error)}`);
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

/** A statement with values apart from its text: D1 takes a text of 100 KB, and a value of 2 MB. */
function insertStatement(db: D1Database, table: string, rows: Row[]): D1PreparedStatement {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map(() => `(${columns.map(() => "?").join(", ")})`).join(", ");
  const sql = `INSERT INTO ${quote(table)} (${columns.map(quote).join(", ")}) VALUES ${values} ${onConflict(table, columns)}`;
  return db.prepare(sql).bind(...rows.flatMap((row) => columns.map((column) => row[column] ?? null)));
}
