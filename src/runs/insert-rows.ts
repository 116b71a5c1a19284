/** Writes many rows of a table of an object. Effects: storage. */

/** The most values of a statement. https://developers.cloudflare.com/durable-objects/platform/limits/ */
const MAX_BOUND_VALUES = 100;

/**
 * A statement takes several times as long as a row, so one has as many rows as it can.
 *
 * @param columns the table and its columns, as SQL
 * @param rows a value for each column
 */
export function insertRows(sql: SqlStorage, columns: string, rows: SqlStorageValue[][]): void {
  const [first] = rows;
  if (!first) return;
  const row = `(${first.map(() => "?").join(", ")})`;
  const atOnce = Math.floor(MAX_BOUND_VALUES / first.length);
  for (let start = 0; start < rows.length; start += atOnce) {
    const some = rows.slice(start, start + atOnce);
    sql.exec(`INSERT INTO ${columns} VALUES ${some.map(() => row).join(", ")}`, ...some.flat());
  }
}
