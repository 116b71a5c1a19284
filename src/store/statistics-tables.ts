/**
 * The D1 table of statistics. Its triggers are in `migrations/`: `message-counted`, `session-counted`, `takeover-counted`, and
 * those of feedback. Pure.
 */
import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { StatisticsScope } from "../core/conversation-statistics.ts";

/**
 * What happened on each day (UTC) with the sessions of a chatbot, and with those of a client. Triggers add to it as things
 * happen, and nothing is taken away with a deleted session.
 */
export const dailyStatistics = sqliteTable(
  "daily_statistics",
  {
    scope: text().$type<StatisticsScope>().notNull(),
    /** Of the chatbot or the client. */
    id: text().notNull(),
    /** Days since 1970. */
    day: integer().notNull(),
    sessions: integer().notNull().default(0),
    turns: integer().notNull().default(0),
    messages: integer().notNull().default(0),
    ok: integer().notNull().default(0),
    cancelled: integer().notNull().default(0),
    inputTokens: integer().notNull().default(0),
    outputTokens: integer().notNull().default(0),
    /** Of the replies whose usage and prices are known; `null` if there are none. */
    cost: real(),
    ratedUp: integer().notNull().default(0),
    ratedDown: integer().notNull().default(0),
    takeovers: integer().notNull().default(0),
    durationMin: integer(),
    durationMax: integer(),
    firstTextMin: integer(),
    firstTextMax: integer(),
    /** JSON of the number of errors by code. */
    errors: text().notNull().default("{}"),
    /** JSON of the number of times by bucket, see `core/conversation-statistics.ts`. */
    durations: text().notNull().default("{}"),
    firstTexts: text().notNull().default("{}"),
  },
  (table) => [primaryKey({ columns: [table.scope, table.id, table.day] })],
);
