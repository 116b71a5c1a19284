/**
 * Endpoints in D1, with their tokens as stored (encrypted or a reference). Encryption belongs to
 * `crypto/sealed-tokens.ts`. Effects: D1.
 */
import { asc, eq, sql } from "drizzle-orm";
import type { Endpoint } from "../core/endpoint.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { chatbots, endpoints } from "./tables.ts";

/**
 * @param moreStatements statements for the same transaction
 * @returns whether the endpoint was created. It is not if its id exists.
 */
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

/** The given ids that belong to an endpoint. One round trip. */
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

/** @returns whether the endpoint was deleted. It is not while a chatbot uses it. */
export async function deleteEndpoint(db: Database, id: string): Promise<boolean> {
  const isUnreferenced = sql`not exists (select 1 from ${chatbots} where ${chatbots.endpointId} = ${id} and ${chatbots.deletedAt} is null)`;
  const remove = db.delete(endpoints).where(sql`${endpoints.id} = ${id} and ${isUnreferenced}`);
  const [{ meta }] = await db.batch([remove, forgetResponse(db, `endpoint:${id}`)]);
  return meta.changes > 0;
}
