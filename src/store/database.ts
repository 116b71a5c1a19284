/**
 * D1 with Drizzle. This folder reads and writes everything that is listed or searched. One file per table or use;
 * `tables.ts` has the schema. While a session is active, only its object in `live/` writes it. Functions that return a
 * statement are for a batch. Effects: none here; each query is a D1 call.
 */
import { drizzle } from "drizzle-orm/d1";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as tables from "./tables.ts";

export type Database = DrizzleD1Database<typeof tables> & { $client: D1Database };

const databases = new WeakMap<D1Database | D1DatabaseSession, Database>();

/** A Drizzle client for a binding, or for a session of the binding that reads from a replica. */
export function database(binding: D1Database | D1DatabaseSession): Database {
  const cached = databases.get(binding);
  if (cached) return cached;
  // A D1 session has the methods of the binding that are used here; Drizzle's types do not know it.
  const created = drizzle(binding as D1Database, { schema: tables, casing: "snake_case" });
  databases.set(binding, created);
  return created;
}

const replicas = new WeakMap<D1Database, Database>();

/**
 * A Drizzle client that reads from a replica near the caller. What it reads may be a moment old, but is never older than
 * what this isolate has read by it before.
 */
export function replica(binding: D1Database): Database {
  const cached = replicas.get(binding) ?? database(binding.withSession("first-unconstrained"));
  replicas.set(binding, cached);
  return cached;
}

/** Converts a query to a D1 statement, for a batch with hand-written statements. */
export function toStatement(db: Database, query: { toSQL(): { sql: string; params: unknown[] } }): D1PreparedStatement {
  const { sql, params } = query.toSQL();
  return db.$client.prepare(sql).bind(...params);
}

/** Whether a write failed because of a unique index. */
export function isUniqueViolation(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes("UNIQUE constraint failed")) return true;
  }
  return false;
}
