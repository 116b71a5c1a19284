/**
 * The D1 schema. After a change, see "Change the tables of D1" in `.github/CONTRIBUTING.md`. Triggers and the full-text index are
 * written by hand in `migrations/`. The tables of keys and tickets are in `access-tables.ts`, of
 * feedback in `feedback-tables.ts`, of statistics in `statistics-tables.ts`, queries in the other
 * files of this folder. Pure.
 */
import { sql } from "drizzle-orm";
import type { Column, SQL } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Bridge } from "../core/bridge.ts";
import type { ContextSettings } from "../core/context.ts";
import type { ConnectorType, Prices } from "../core/endpoint.ts";
import { FOLD_VERSION } from "../core/fold.ts";
import type { Handler, Handover } from "../core/handover.ts";
import type { LogArchive } from "../core/log-archive.ts";
import type { PathRange } from "../core/message-tree.ts";
import type { Role } from "../core/message.ts";
import type { Chat, Feedback, Session, SessionStatus } from "../core/session.ts";

/** Version of the rules by which the row's text was folded. 1 stands for rows that are older than this column. */
const foldVersion = () => integer().notNull().default(1);

/**
 * SQL condition for rows whose text must be folded again. All versions fold ASCII in the same way, so the condition
 * skips texts in ASCII: in UTF-8 all other texts have more bytes than characters.
 *
 * @param column the original text
 */
export const isFoldedByOlderRules = (column: "title" | "name"): string =>
  `fold_version < ${FOLD_VERSION} AND length(CAST(${column} AS BLOB)) > length(${column})`;

/** The endpoint that a chatbot's `context` names, in the words of its index. */
export const summaryEndpointIdOf = (context: Column): SQL => sql`${context} ->> '$.summaryEndpointId'`;

/** SQL conditions of the partial indexes. */
export const isChatbotSession = sql.raw("kind = 'chatbot'");
/** Those of a run are listed by their run. */
export const isComparisonSession = sql.raw("kind = 'comparison' AND run_id IS NULL");
export const isOfRun = sql.raw("run_id IS NOT NULL");
export const isNotBots = sql.raw("handler <> 'bot'");

// Every index implicitly ends with the row's number, so each one also serves `order by created_at desc, number desc`.
export const sessions = sqliteTable(
  "sessions",
  {
    /** Numbers sessions by creation, and is never given again. The full-text index and the messages refer to it. */
    number: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    kind: text().$type<Session["kind"]>().notNull(),
    title: text(),
    titleFolded: text(),
    foldVersion: foldVersion(),
    description: text(),
    status: text().$type<SessionStatus>().notNull(),
    startTime: integer().notNull(),
    endTime: integer(),
    dueAt: integer(),
    chatbotId: text(),
    clientId: text(),
    chats: text({ mode: "json" }).$type<Chat[]>().notNull(),
    promptTemplate: text(),
    contextStrategy: text(),
    previousPrompts: integer(),
    systemPrompt: text(),
    attackModule: text(),
    metadata: text(),
    feedback: text({ mode: "json" }).$type<Feedback>(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    lastSeq: integer().notNull(),
    metadataVersion: integer().notNull(),
    messageCount: integer().notNull(),
    /** The first part of the log, if it is in the archive and not in `messages`. */
    archive: text({ mode: "json" }).$type<LogArchive>(),
    /** When the archive job last looked at the session, at first its creation; `null` if the archive has the whole log. */
    archiveCheckedAt: integer(),
    handler: text().$type<Handler>().notNull().default("bot"),
    handlerSince: integer(),
    handover: text({ mode: "json" }).$type<Handover>(),
    /** Which messages are shown; `null` for all with text. */
    activePath: text({ mode: "json" }).$type<PathRange[]>(),
    /** The ids of turns that are no longer found by them. */
    hiddenTurns: text({ mode: "json" }).$type<readonly string[]>(),
    /** The run that it is a conversation of. */
    runId: text(),
    /** The chat session that a comparison was made from. */
    bridge: text({ mode: "json" }).$type<Bridge>(),
  },
  (table) => [
    uniqueIndex("sessions_id").on(table.id),
    // Each index has only the rows that its queries want. SQLite uses it for a query that has the condition as literal SQL.
    // Includes the title, so that a search text too short for the full-text index scans this index and not the rows.
    index("sessions_newest").on(table.createdAt, table.number, table.titleFolded).where(isChatbotSession),
    index("comparisons_newest").on(table.createdAt).where(isComparisonSession),
    index("sessions_by_run").on(table.runId, table.createdAt).where(isOfRun),
    index("sessions_by_status").on(table.status, table.createdAt).where(isChatbotSession),
    index("sessions_by_chatbot")
      .on(table.chatbotId, table.createdAt)
      .where(sql`chatbot_id IS NOT NULL`),
    index("sessions_by_chatbot_and_status")
      .on(table.chatbotId, table.status, table.createdAt)
      .where(sql`chatbot_id IS NOT NULL`),
    index("sessions_by_client")
      .on(table.clientId, table.createdAt)
      .where(sql`client_id IS NOT NULL`),
    // A template cannot be deleted while active sessions use it. Few sessions use one.
    index("sessions_by_template")
      .on(table.promptTemplate, table.status)
      .where(sql`prompt_template IS NOT NULL`),
    index("sessions_due")
      .on(table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    // Of columns that no message changes, so that an append writes no index.
    index("sessions_to_archive")
      .on(table.status, table.archiveCheckedAt)
      .where(sql`archive_checked_at IS NOT NULL`),
    // Those who wait come before those whom a person answers, and the longest wait first.
    index("sessions_by_handler").on(table.handler, table.handlerSince).where(isNotBots),
    index("sessions_to_refold")
      .on(table.number)
      .where(sql.raw(isFoldedByOlderRules("title"))),
  ],
);

export const messages = sqliteTable("messages", {
  /** The number of the session and the `seq`, see `message-keys.ts`. As an integer it is the row's own number, without an index. */
  key: integer().primaryKey(),
  chatId: text(),
  turnId: text(),
  role: text().$type<Role>().notNull(),
  createdAt: integer().notNull(),
  /** When the message was appended. `createdAt` can be set by the caller. */
  appendedAt: integer().notNull(),
  /** JSON of the person who wrote it for the chatbot's side; `null` for any other message. */
  author: text(),
  /** The `seq` of the message that it follows, if that is not the one just before. */
  parentSeq: integer(),
  // The long columns come last: SQLite reads a row from its start.
  content: text().notNull(),
  /** JSON of a reply's detail; `null` for any other message. */
  detail: text(),
});

/** Turns of sessions: one prompt and its replies each, numbered from 1 within the session. */
export const turns = sqliteTable(
  "turns",
  {
    sessionId: text().notNull(),
    turnId: text().notNull(),
    number: integer().notNull(),
    startedAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.turnId] })],
);

/**
 * Which sessions were used in which period of ten minutes: what cron looks through for sessions that went quiet. A trigger
 * adds a row with the first use in a period, so that most appends write none; cron removes it.
 */
export const sessionUses = sqliteTable(
  "session_uses",
  {
    /** The time of the use / 600,000 ms, rounded down. */
    period: integer().notNull(),
    sessionNumber: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.period, table.sessionNumber] })],
);

/** Number of chatbot sessions per chatbot and status, updated by triggers, so that a list does not count rows. */
export const sessionCounts = sqliteTable(
  "session_counts",
  {
    chatbotId: text().notNull(),
    status: text().$type<SessionStatus>().notNull(),
    sessions: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.chatbotId, table.status] })],
);

export const endpoints = sqliteTable("endpoints", {
  id: text().primaryKey(),
  name: text().notNull(),
  connectorType: text().$type<ConnectorType>().notNull(),
  uri: text().notNull(),
  token: text().notNull(),
  model: text().notNull(),
  maxCallsPerSecond: integer().notNull(),
  maxConcurrency: integer().notNull(),
  params: text().notNull(),
  pinned: text({ mode: "json" }).$type<string[]>(),
  prices: text({ mode: "json" }).$type<Prices>(),
  createdAt: integer().notNull(),
  updatedAt: integer().notNull(),
});

export const chatbots = sqliteTable(
  "chatbots",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    nameFolded: text().notNull(),
    foldVersion: foldVersion(),
    description: text(),
    endpointId: text().notNull(),
    systemPrompt: text(),
    greeting: text(),
    historyLimit: integer().notNull(),
    context: text({ mode: "json" }).$type<ContextSettings>(),
    params: text(),
    takeoverTimeoutMinutes: integer(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    deletedAt: integer(),
  },
  (table) => [
    index("chatbots_by_endpoint").on(table.endpointId),
    index("chatbots_by_summary_endpoint")
      .on(summaryEndpointIdOf(table.context))
      .where(sql`context IS NOT NULL`),
    index("chatbots_to_refold")
      .on(table.id)
      .where(sql.raw(isFoldedByOlderRules("name"))),
  ],
);

export const clients = sqliteTable(
  "clients",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    nameFolded: text().notNull(),
    foldVersion: foldVersion(),
    email: text(),
    externalId: text(),
    metadata: text(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    deletedAt: integer(),
  },
  (table) => [
    uniqueIndex("clients_external_id").on(table.externalId),
    index("clients_to_refold")
      .on(table.id)
      .where(sql.raw(isFoldedByOlderRules("name"))),
  ],
);

export const promptTemplates = sqliteTable("prompt_templates", {
  name: text().primaryKey(),
  description: text().notNull(),
  template: text().notNull(),
  createdAt: integer().notNull(),
});

/** Copies of chat records. They stay when their session is deleted. */
export const bookmarks = sqliteTable("bookmarks", {
  name: text().primaryKey(),
  sessionId: text(),
  chatId: text(),
  chatRecordId: integer(),
  note: text(),
  createdAt: integer().notNull(),
  /** JSON of the record, as it was shown. */
  record: text().notNull(),
});

/** ASCII spelling of characters, for ids made from names. Each row has 256 characters in order of code point. */
export const transliterations = sqliteTable("transliterations", {
  /** The upper part of the code points: code point / 256, rounded down. */
  page: integer().primaryKey(),
  readings: text({ mode: "json" }).$type<string[]>().notNull(),
});

/** Messages that could not be written to `messages`. The sessions' objects keep them. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    sessionId: text().notNull(),
    seq: integer().notNull(),
    error: text().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.seq] }), index("dead_letters_by_time").on(table.at)],
);
