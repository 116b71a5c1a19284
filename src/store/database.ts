import { drizzle } from "drizzle-orm/d1";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as tables from "./tables.ts";

export type Database = DrizzleD1Database<typeof tables> & { $client: D1Database };

const databases = new WeakMap<D1Database | D1DatabaseSession, Database>();

/** The index database behind a binding, or behind a session of it that reads from a replica. */
export function database(binding: D1Database | D1DatabaseSession): Database {
  const cached = databases.get(binding);
  if (cached) return cached;
  // A session answers the same calls as the binding; drizzle's type does not say so.
  const created = drizzle(binding as D1Database, { schema: tables, casing: "snake_case" });
  databases.set(binding, created);
  return created;
}

/** A query as a statement of D1's own, for a batch with statements written by hand. */
export function toStatement(db: Database, query: { toSQL(): { sql: string; params: unknown[] } }): D1PreparedStatement {
  const { sql, params } = query.toSQL();
  return db.$client.prepare(sql).bind(...params);
}

/** Whether a write failed because a unique index already holds the value. */
export function isUniqueViolation(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes("UNIQUE constraint failed")) return true;
  }
  return false;
}
