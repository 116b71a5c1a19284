/**
 * Reads lists that can be longer than what fits in memory, in pages that are bounded in bytes. Sizes alone decide how
 * many rows a page has, so that no text is read in vain: `octet_length` reads no long text. Which list is read does not
 * belong here. Effects: D1.
 */
import { asc, getTableColumns, gt, sql } from "drizzle-orm";
import type { Column, SQL } from "drizzle-orm";
import type { Batch } from "../core/page.ts";
import type { Database } from "./database.ts";
import type { bookmarks, endpoints, promptTemplates } from "./tables.ts";

/** The most rows of a page. */
const MAX_ROWS = 500;

/** A page ends with the row that reaches this, in bytes of UTF-8. */
const MAX_PAGE_BYTES = 1_000_000;

type ListedTable = typeof bookmarks | typeof endpoints | typeof promptTemplates;

/** A table whose primary key is a text, and its columns that can be long. */
interface LongList<T extends ListedTable> {
  table: T;
  key: Column;
  longColumns: Column[];
}

/** The bytes of some columns together. */
export const bytesOf = (columns: Column[]): SQL =>
  sql.join(
    columns.map((column) => sql`coalesce(octet_length(${column}), 0)`),
    sql` + `,
  );

/** The rows of a page: their sizes decide how many of them to read. */
interface SizedRows {
  /** A query with the column `size` and those of the order. */
  rows: SQL;
  order: SQL;
  limit: number;
  skip?: number;
}

/**
 * The `limit` of a query that reads no more rows than it takes to reach some bytes. Running totals read each row several
 * times on D1, so they are left for pages that have more.
 */
export function limitByBytes(maxBytes: number, { rows, order, limit, skip = 0 }: SizedRows): number {
  const page = sql`${rows} order by ${order} limit ${limit} offset ${skip}`;
  const fitting = sql`(case when (select sum(size) from (${page})) < ${maxBytes} then ${limit} else (select count(*) from
    (select sum(size) over (order by ${order} rows unbounded preceding) - size as before from (${page}))
    where before < ${maxBytes}) end)`;
  // Drizzle takes any SQL here, but its types do not know that.
  return fitting as unknown as number;
}

/** A list, page by page. */
export type ListPages<T> = AsyncGenerator<Batch<T>, void>;

/** All rows of a table by its key, page by page. One round trip a page; a list that fits into one needs no second. */
export async function* readPages<T extends ListedTable>(
  db: Database,
  { table, key, longColumns }: LongList<T>,
): ListPages<T["$inferSelect"]> {
  let after = "";
  for (let hasMore = true; hasMore;) {
    const rows = sql`select ${key} as key, ${bytesOf(longColumns)} as size from ${table}
      where ${key} > ${after}`;
    const columns = {
      row: getTableColumns<ListedTable>(table),
      key: sql<string>`${key}`,
      lastKey: sql<string>`(select max(${key}) from ${table})`,
    };
    const rest = db.select(columns).from<ListedTable>(table).where(gt(key, after)).orderBy(asc(key));
    const page = await rest.limit(limitByBytes(MAX_PAGE_BYTES, { rows, order: sql`key`, limit: MAX_ROWS }));
    const last = page.at(-1);
    hasMore = last !== undefined && last.key !== last.lastKey;
    after = last?.key ?? after;
    yield { items: page.map(({ row }) => row as T["$inferSelect"]), hasMore };
  }
}
