/**
 * Inserts a row with its own key, once: an insert whose answer was lost is repeated and has no second effect. Effects:
 * D1.
 */
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import type { SQLiteColumn, SQLiteInsertValue, SQLiteTable, SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { retryOnce } from "../core/transient-error.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";

/**
 * Inserts a row, in one round trip.
 *
 * @param key the column that must be free
 * @param moreStatements statements for the same transaction
 * @returns whether it was inserted. It is not if another row has the key.
 * @throws a violation of another unique index
 */
export function insertOnce<T extends SQLiteTable>(
  db: Database,
  table: T,
  row: SQLiteInsertValue<T>,
  key: SQLiteColumn,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> {
  return retryOnce(async (isSecond) => {
    const insert = db.insert(table).values(row);
    // The row of the first attempt counts as inserted. Only a second attempt looks for it: two callers may well create
    // the same thing in the same millisecond.
    const statement = isSecond
      ? insert.onConflictDoUpdate({
          target: key,
          set: { [key.name]: sql`${key}` } as SQLiteUpdateSetSource<T>,
          setWhere: isSameRow(table, row),
        })
      : insert.onConflictDoNothing({ target: key });
    const [inserted] = await db.$client.batch([toStatement(db, statement), ...moreStatements]);
    return (inserted?.meta.changes ?? 0) > 0;
  });
}

/** SQL condition: the existing row has all values of the new one. */
const isSameRow = <T extends SQLiteTable>(table: T, row: SQLiteInsertValue<T>): SQL =>
  sql.join(
    Object.keys(row)
      .map((name) => Reflect.get(table, name) as SQLiteColumn)
      .map((column) => sql`${column} is excluded.${sql.identifier(toSnakeCase(column.name))}`),
    sql` and `,
  );
