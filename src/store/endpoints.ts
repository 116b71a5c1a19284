import { asc, eq, sql } from "drizzle-orm";
import type { Endpoint } from "../core/endpoint.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { chatbots, endpoints } from "./tables.ts";

/** @param moreStatements what is written in the same transaction. @returns whether it was created: not when its id is taken */
export async function createEndpoint(
  db: Database,
  endpoint: Endpoint,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> {
  const insert = db.insert(endpoints).values(endpoint).onConflictDoNothing();
  const [created] = await db.$client.batch([toStatement(db, insert), ...moreStatements]);
  return (created?.meta.changes ?? 0) > 0;
}

export const listEndpoints = (db: Database): Promise<Endpoint[]> =>
  db.select().from(endpoints).orderBy(asc(endpoints.name));

export async function findEndpoint(db: Database, id: string): Promise<Endpoint | null> {
  return (await db.select().from(endpoints).where(eq(endpoints.id, id)).get()) ?? null;
}

/** Which of some ids name an endpoint. One round trip. */
export async function existingEndpoints(db: Database, ids: string[]): Promise<Set<string>> {
  const found = await db
    .select({ id: endpoints.id })
    .from(endpoints)
    .where(sql`${endpoints.id} in (select value from json_each(${JSON.stringify(ids)}))`);
  return new Set(found.map(({ id }) => id));
}

export async function updateEndpoint(db: Database, { id, ...endpoint }: Endpoint): Promise<void> {
  await db.update(endpoints).set(endpoint).where(eq(endpoints.id, id));
}

/** @returns whether it is gone: not while a chatbot stands on it */
export async function deleteEndpoint(db: Database, id: string): Promise<boolean> {
  const isUnreferenced = sql`not exists (select 1 from ${chatbots} where ${chatbots.endpointId} = ${id} and ${chatbots.deletedAt} is null)`;
  const { meta } = await db.delete(endpoints).where(sql`${endpoints.id} = ${id} and ${isUnreferenced}`);
  return meta.changes > 0;
}
