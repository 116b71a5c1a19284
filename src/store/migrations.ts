/**
 * Which migrations D1 has. They are applied by `npm run deploy`, or before a local start, never by the Worker. Effects:
 * D1.
 */
import journal from "../../migrations/meta/_journal.json" with { type: "json" };
import { rootCause } from "../core/failure.ts";
import type { Database } from "./database.ts";

/** The newest migration that this code was written for. */
export const NEWEST_MIGRATION = `${journal.entries.at(-1)?.tag ?? ""}.sql`;

/** Whether a query failed because the database lacks a table or a column: its migrations are not applied. */
export const lacksTables = (error: unknown): boolean => /no such (?:table|column)/.test(rootCause(error));

/** What to do about it. */
export const LACKS_TABLES = "The database lacks tables that this code needs: npm run deploy";

/** The names of the applied migrations, newest first. Wrangler records them in a table of its own. */
export async function appliedMigrations(db: Database): Promise<string[]> {
  const { results } = await db.$client
    .prepare("SELECT name FROM d1_migrations ORDER BY id DESC")
    .all<{ name: string }>();
  return results.map(({ name }) => name);
}
