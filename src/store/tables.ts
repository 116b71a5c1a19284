import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { ConnectorType, Prices } from "../core/endpoint.ts";
import { FOLD_VERSION } from "../core/fold.ts";
import type { Caller } from "../core/caller.ts";
import type { Role } from "../core/message.ts";
import type { Chat, Feedback, Session, SessionStatus } from "../core/session.ts";

/** By which rules the folded text of a row was made. 1 is for rows that were written before this was noted. */
const foldVersion = () => integer().notNull().default(1);

/**
 * Holds for a row whose text has to be folded again. Every version folds ASCII alike, so such texts are left out: in
 * UTF-8 the others have more bytes than characters.
 *
 * @param column the text, as it was given
 */
export const isFoldedByOlderRules = (column: "title" | "name"): string =>
  `fold_version < ${FOLD_VERSION} AND length(CAST(${column} AS BLOB)) > length(${column})`;

// Every index ends, unsaid, with the row's number, so each also serves `order by created_at desc, number desc`.
export const sessions = sqliteTable(
  "sessions",
  {
    /** Counts sessions in order of creation; the full-text index refers to it. */
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
    metadata: text(),
    feedback: text({ mode: "json" }).$type<Feedback>(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    lastSeq: integer().notNull(),
    metadataVersion: integer().notNull(),
    messageCount: integer().notNull(),
  },
  (table) => [
    uniqueIndex("sessions_id").on(table.id),
    // Holds the title too, so that a search too short for the full-text index reads this and not the rows.
    index("sessions_newest").on(table.kind, table.createdAt, table.number, table.titleFolded),
    index("sessions_by_status").on(table.kind, table.status, table.createdAt),
    index("sessions_by_chatbot").on(table.chatbotId, table.createdAt),
    index("sessions_by_chatbot_and_status").on(table.chatbotId, table.status, table.createdAt),
    index("sessions_by_client").on(table.clientId, table.createdAt),
    index("sessions_to_refold")
      .on(table.number)
      .where(sql.raw(isFoldedByOlderRules("title"))),
  ],
);

export const messages = sqliteTable(
  "messages",
  {
    sessionId: text().notNull(),
    seq: integer().notNull(),
    chatId: text(),
    turnId: text(),
    role: text().$type<Role>().notNull(),
    content: text().notNull(),
    createdAt: integer().notNull(),
    /** JSON of a reply's detail; `null` on every other message. */
    detail: text(),
    /** When it was appended, which a message that brings a time of its own does not tell. */
    appendedAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.seq] })],
);

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

/** How many chatbot sessions there are, by chatbot and status: kept by triggers, so that no list counts its table. */
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
    params: text(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    deletedAt: integer(),
  },
  (table) => [
    index("chatbots_by_endpoint").on(table.endpointId),
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

/** How characters are written in ASCII, for ids made of names: 256 of them in a row, in order of code point. */
export const transliterations = sqliteTable("transliterations", {
  /** The code points' common upper part: code point / 256, rounded down. */
  page: integer().primaryKey(),
  readings: text({ mode: "json" }).$type<string[]>().notNull(),
});

export const apiKeys = sqliteTable(
  "keys",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    role: text().$type<"admin" | "service" | "client">().notNull(),
    clientId: text(),
    /** Lower-case hex SHA-256 of the key. */
    hash: text().notNull(),
    expiresAt: integer(),
    lastUsedAt: integer(),
    createdAt: integer().notNull(),
  },
  (table) => [uniqueIndex("keys_hash").on(table.hash)],
);

/** Who follows which session by an API key: where a revocation has something to close. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    keyId: text().notNull(),
    sessionId: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.sessionId] })],
);

/** One-use tickets for opening sockets. */
export const tickets = sqliteTable("tickets", {
  hash: text().primaryKey(),
  sessionId: text().notNull(),
  caller: text({ mode: "json" }).$type<Caller>().notNull(),
  expiresAt: integer().notNull(),
});

/** What callers were answered who created something under a key of their own. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    caller: text().notNull(),
    /** The route, and the key within it. */
    key: text().notNull(),
    /** SHA-256 of the body. */
    fingerprint: text().notNull(),
    /** `null` while the first call is under way. */
    httpStatus: integer(),
    body: text(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.caller, table.key] })],
);

/** Messages that could not be written to `messages`, whatever was tried: their sessions' objects keep them. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    sessionId: text().notNull(),
    seq: integer().notNull(),
    error: text().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.seq] })],
);
