/**
 * The D1 schema of what decides who may call: keys, tickets, subscriptions to close, and the answers of repeated calls. All
 * other tables are in `tables.ts`, with what holds for both files. Pure.
 */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Caller, CallerRole } from "../core/caller.ts";

export const apiKeys = sqliteTable(
  "keys",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    role: text().$type<CallerRole>().notNull(),
    clientId: text(),
    /** Lower-case hex SHA-256 of the key. */
    hash: text().notNull(),
    expiresAt: integer(),
    lastUsedAt: integer(),
    createdAt: integer().notNull(),
  },
  (table) => [
    uniqueIndex("keys_hash").on(table.hash),
    index("keys_by_client").on(table.clientId),
    index("keys_by_expiry").on(table.expiresAt),
  ],
);

/** Sessions that callers with a revocable token subscribe to. Revoking it closes these streams. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    /** The id of an API key, or `client:` and the id of a client. */
    keyId: text().notNull(),
    sessionId: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.keyId, table.sessionId] }),
    index("subscriptions_by_session").on(table.sessionId),
  ],
);

/** Revoked API keys and deleted clients whose subscriptions are not all closed. Triggers add them, and cron looks them through. */
export const revocations = sqliteTable("revocations", {
  /** As in `subscriptions`. */
  keyId: text().primaryKey(),
});

/** One-time tickets for opening sockets and event streams. */
export const tickets = sqliteTable(
  "tickets",
  {
    hash: text().primaryKey(),
    sessionId: text().notNull(),
    caller: text({ mode: "json" }).$type<Caller>().notNull(),
    expiresAt: integer().notNull(),
  },
  (table) => [index("tickets_by_expiry").on(table.expiresAt)],
);

/** Responses to requests that created something under an idempotency key. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    caller: text().notNull(),
    /** The route and the caller's key. */
    key: text().notNull(),
    /** SHA-256 of the body. */
    fingerprint: text().notNull(),
    /** `null` while the first request is in progress. */
    httpStatus: integer(),
    body: text(),
    at: integer().notNull(),
    /** What was created, as `<type>:<id>`. Deleting it deletes this row. */
    resource: text(),
  },
  (table) => [
    primaryKey({ columns: [table.caller, table.key] }),
    index("idempotency_keys_by_resource").on(table.resource),
    index("idempotency_keys_by_time").on(table.at),
  ],
);
