/**
 * Endpoints in D1, with their tokens as stored (encrypted or a reference). Encryption belongs to
 * `crypto/sealed-tokens.ts`. Effects: D1.
 */
import { eq, sql } from "drizzle-orm";
import type { Endpoint } from "../core/endpoint.ts";
import { failed } from "../core/failure.ts";
import type { Failed } from "../core/failure.ts";
import { retryOnce } from "../core/transient-error.ts";
import { slug } from "./slug.ts";
import type { Database } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { insertOnce } from "./insert-once.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { readPages } from "./list-pages.ts";
import type { ListPages } from "./list-pages.ts";
import { forgetAfter } from "./record-cache.ts";
import { endpoints } from "./tables.ts";
import { isUsed, usersOfEndpoint } from "./users.ts";

/** No name is longer, in characters. */
const MAX_NAME_LENGTH = 200;

/**
 * @param moreStatements statements for the same transaction
 * @returns whether the endpoint was created. It is not if its id exists.
 */
export const createEndpoint = (
  db: Database,
  endpoint: Endpoint,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> =>
  forgetAfter(["endpoint", endpoint.id], insertOnce(db, endpoints, endpoint, endpoints.id, moreStatements));

/** All endpoints by id, page by page. An id is the slug of a name, so this is nearly the order of their names. */
export const endpointPages = (db: Database): ListPages<Endpoint> =>
  readPages(db, {
    table: endpoints,
    key: endpoints.id,
    longColumns: [endpoints.params, endpoints.uri, endpoints.token, endpoints.pinned],
  });

export async function hasEndpoints(db: Database): Promise<boolean> {
  return (await db.select({ id: endpoints.id }).from(endpoints).limit(1).get()) !== undefined;
}

export async function findEndpoint(db: Database, id: string): Promise<Endpoint | null> {
  return (await db.select().from(endpoints).where(eq(endpoints.id, id)).get()) ?? null;
}

/** The failure for an id that no endpoint has. If it is an endpoint's name, the failure suggests the id. */
export async function endpointNotFound(db: Database, id: string): Promise<Failed> {
  const idOfName = id.length > MAX_NAME_LENGTH ? id : await slug(db, id);
  const isName = idOfName !== id && (await findEndpoint(db, idOfName)) !== null;
  return failed({ reason: "not-found", resource: "endpoint", id, ...(isName ? { suggestion: idOfName } : {}) });
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
  const write = db.update(endpoints).set(endpoint).where(eq(endpoints.id, id));
  await forgetAfter(
    ["endpoint", id],
    retryOnce(() => write.run()),
  );
}

/** @returns whether the endpoint was deleted. It is not while a chatbot uses it. */
export async function deleteEndpoint(db: Database, id: string): Promise<boolean> {
  const remove = db.delete(endpoints).where(sql`${endpoints.id} = ${id} and not ${isUsed(usersOfEndpoint(id))}`);
  const write = async () => (await db.batch([remove, forgetResponse(db, `endpoint:${id}`)]))[0].meta.changes > 0;
  const isGone = async () => (await findEndpoint(db, id)) === null;
  return forgetAfter(["endpoint", id], deleteOnce(write, isGone));
}
