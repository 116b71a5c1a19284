/** The D1 tables of feedback on messages. Their triggers are in `migrations/`: `feedback-given` and `feedback-removed`. Pure. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { FeedbackOn, Rating } from "../core/message-feedback.ts";

/**
 * Feedback on messages, one row a message. It has a copy of the texts, so that a list reads nothing else: messages never
 * change, and many are in objects or in the archive. A row is never changed, but replaced, because triggers count rows.
 */
export const messageFeedback = sqliteTable(
  "message_feedback",
  {
    /** Orders feedback of one moment. */
    number: integer().primaryKey({ autoIncrement: true }),
    sessionId: text().notNull(),
    seq: integer().notNull(),
    chatbotId: text().notNull(),
    clientId: text().notNull(),
    rating: integer().$type<Rating>().notNull(),
    updatedAt: integer().notNull(),
    tags: text({ mode: "json" }).$type<string[]>().notNull(),
    comment: text(),
    /** What is known of the rated message and of the one that it answers, besides their texts. */
    rated: text({ mode: "json" }).$type<FeedbackOn>().notNull(),
    // The long columns come last: SQLite reads a row from its start.
    content: text().notNull(),
    answeredContent: text(),
  },
  (table) => [
    uniqueIndex("message_feedback_by_message").on(table.sessionId, table.seq),
    index("message_feedback_newest").on(table.updatedAt),
    index("message_feedback_by_rating").on(table.rating, table.updatedAt),
    index("message_feedback_by_chatbot").on(table.chatbotId, table.updatedAt),
    index("message_feedback_by_chatbot_and_rating").on(table.chatbotId, table.rating, table.updatedAt),
    index("message_feedback_by_client").on(table.clientId, table.updatedAt),
  ],
);

/** The tags of feedback, filled by triggers. */
export const feedbackTags = sqliteTable(
  "feedback_tags",
  {
    tag: text().notNull(),
    updatedAt: integer().notNull(),
    /** Of the feedback. */
    number: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tag, table.updatedAt, table.number] })],
);

/** Number of feedback rows per chatbot and rating, updated by triggers, so that a list does not count rows. */
export const feedbackCounts = sqliteTable(
  "feedback_counts",
  {
    chatbotId: text().notNull(),
    rating: integer().$type<Rating>().notNull(),
    count: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.chatbotId, table.rating] })],
);
