/** Reads everything that is stored, as a thief of the database would. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Everything in D1 and in the storage of a session's object, as text. */
export async function everythingStored(sessionId: string): Promise<string> {
  const { results: tables } = await env.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '_cf%' and name <> 'transliterations'",
  ).all<{ name: string }>();
  const rows = await env.DB.batch(tables.map(({ name }) => env.DB.prepare(`select * from "${name}"`)));
  const inObject = await runInDurableObject(env.SESSIONS.getByName(sessionId), (_, { storage: { sql } }) =>
    sql
      .exec<{ name: string }>(
        "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
      )
      .toArray()
      .map(({ name }) => sql.exec(`select * from "${name}"`).toArray()),
  );
  return JSON.stringify([rows.map(({ results }) => results), inObject]);
}
