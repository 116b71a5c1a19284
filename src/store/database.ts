import { drizzle } from "drizzle-orm/d1";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as tables from "./tables.ts";

export type Database = DrizzleD1Database<typeof tables> & { $client: D1Database };

const opened = new WeakMap<D1Database | D1DatabaseSession, Database>();

/** The index database behind a binding, or behind a session of it that reads from a replica. */
export function database(binding: D1Database | D1DatabaseSession): Database {
  const known = opened.get(binding);
  if (known) return known;
  // A session answers the same calls as the binding; drizzle's type does not say so.
  const fresh = drizzle(binding as D1Database, { schema: tables, casing: "snake_case" });
  opened.set(binding, fresh);
  return fresh;
}

/** A query as a statement of D1's own, for a batch with statements written by hand. */
export function prepared(db: Database, query: { toSQL(): { sql: string; params: unknown[] } }): D1PreparedStatement {
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
