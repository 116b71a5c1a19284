/**
 * Migrates the local database and gives an empty one its first content. Slow to load, as it loads wrangler.
 *
 * Starts the Workers runtime and writes to the database. The migrations are applied and recorded as `wrangler d1 migrations
 * apply` does, which takes seconds longer; deployed databases are migrated by wrangler itself.
 */
import { unstable_splitSqlQuery as splitSql } from "wrangler";
import { openLocalDatabase } from "./database.ts";
import { migrationNames, readMigration } from "./migrations.ts";
import { UserError } from "./program.ts";
import { seedEmptyDatabase } from "./seed.ts";

/** The table in which wrangler records what is applied. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

/** @throws {@link UserError} when the database was made by code whose migrations are not those of this checkout */
export async function fillDatabase(stateFolder: string): Promise<void> {
  const { db, close } = await openLocalDatabase(stateFolder);
  try {
    await migrate(db, stateFolder);
    await seedEmptyDatabase(db);
  } finally {
    await close();
  }
}

/** Each file is a transaction of its own, so that an interrupted start goes on where it stopped. */
export async function migrate(db: D1Database, stateFolder: string): Promise<void> {
  const names = migrationNames();
  const applied = await appliedMigrations(db);
  // Also when one is missing before the newest that is applied, the database has another history.
  if (applied.some((name, index) => name !== names[index])) throw otherHistory(stateFolder);
  for (const name of names.slice(applied.length)) {
    const record = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...splitSql(readMigration(name)).map((sql) => db.prepare(sql)), record]);
  }
}

async function appliedMigrations(db: D1Database): Promise<string[]> {
  await db.prepare(CREATE_TABLE).run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{ name: string }>();
  return results.map(({ name }) => name);
}

/** For a local database whose migrations are not those of this checkout. */
export const otherHistory = (stateFolder: string): UserError =>
  new UserError(
    `The local database in ${stateFolder} was made by another version of Parley, with other migrations.\n` +
      "Remove that folder and start again. What is in it is lost then: local endpoints, chatbots, clients and sessions.\n" +
      "Or keep it, and start with another folder: npm start -- --persist-to .wrangler/other",
  );
