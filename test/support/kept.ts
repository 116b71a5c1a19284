/** What is stored: the rows of all tables of D1, and those of all objects. */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Tables of D1 and SQLite themselves are left out, and those behind a full-text index. */
const TABLES = `select name from sqlite_master where type = 'table' and name not glob '_cf_*' and name not glob 'sqlite_*'
  and name not glob '*_fts_*' and sql not like 'create virtual%'`;

const countIn = (table: unknown): string => `select count(*) as n from "${String(table)}"`;

/** How many rows each table and each object has. Two of these are equal if nothing was stored between them. */
export async function kept(): Promise<Record<string, unknown>> {
  const { results: tables } = await env.DB.prepare(TABLES).all();
  const counts = await env.DB.batch<{ n: number }>(tables.map(({ name }) => env.DB.prepare(countIn(name))));
  const rows = tables.map(({ name }, index) => [String(name), counts[index]?.results[0]?.n]);
  return { ...Object.fromEntries(rows), objects: await objects() };
}

async function objects(): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const namespace of [env.SESSIONS, env.RUNS, env.ENDPOINTS])
    for (const id of await listDurableObjectIds(namespace as DurableObjectNamespace))
      rows.push([
        String(id),
        await runInDurableObject(namespace.get(id) as DurableObjectStub, (_, state) => rowsOf(state)),
      ]);
  return rows;
}

const rowsOf = ({ storage: { sql } }: DurableObjectState): unknown[] =>
  sql
    .exec(TABLES)
    .toArray()
    .map(({ name }) => [name, sql.exec(countIn(name)).one()["n"]]);
