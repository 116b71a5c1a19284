/**
 * Feedback on messages in D1: of a session, of one message, and as a list of all. Triggers keep the totals, the tags and the
 * statistics (`migrations/`). Whether a message can be rated is not decided here. Effects: D1.
 */
import { and, asc, count, desc, eq, gt, gte, lt, sql, sum } from "drizzle-orm";
import type { Column, SQL } from "drizzle-orm";
import type { FeedbackOn, GivenFeedback, MessageFeedback, Rating } from "../core/message-feedback.ts";
import type { Page, PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import { retryOnce } from "../core/transient-error.ts";
import type { Database } from "./database.ts";
import { toStatement } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { MAX_LIST_BYTES, MAX_LIST_CHARACTERS } from "./fit-list.ts";
import { bytesOf } from "./list-pages.ts";
import { feedbackCounts, feedbackTags, messageFeedback } from "./feedback-tables.ts";

/** A rated message, and the user message that it answers. */
export interface RatedMessage extends FeedbackOn {
  content: string;
  answeredContent: string | null;
}

/** A result of the list of all feedback. */
export interface ListedFeedback extends MessageFeedback {
  sessionId: string;
  /** Empty in a session with an endpoint, and so is the client's. */
  chatbotId: string;
  clientId: string;
  message: RatedMessage;
  /** Whether texts were cut, because a list has only so many characters. */
  isShortened: boolean;
}

export interface FeedbackFilter {
  rating: Rating | null;
  chatbotId: string | null;
  clientId: string | null;
  tag: string | null;
  /** Changed at this time or later. */
  from: EpochMs | null;
  /** Changed before this time. */
  before: EpochMs | null;
}

const shownColumns = {
  seq: messageFeedback.seq,
  rating: messageFeedback.rating,
  tags: messageFeedback.tags,
  comment: messageFeedback.comment,
  updatedAt: messageFeedback.updatedAt,
};

/** The statement that reads the feedback on the messages of a session after a `seq`, in their order. */
export const feedbackAfter = (db: Database, sessionId: string, after: number, limit: number) =>
  db
    .select(shownColumns)
    .from(messageFeedback)
    .where(and(eq(messageFeedback.sessionId, sessionId), gt(messageFeedback.seq, after)))
    .orderBy(asc(messageFeedback.seq))
    .limit(limit);

const isOn = (sessionId: string, seq: number) =>
  and(eq(messageFeedback.sessionId, sessionId), eq(messageFeedback.seq, seq));

// A row is replaced and never changed: the triggers know only what comes and what goes. The same feedback again is no change.
const REMOVE_OTHER = `DELETE FROM message_feedback
  WHERE session_id = ?1 AND seq = ?2 AND (rating, tags, comment) IS NOT (?3, ?4, ?5)`;
const INSERT = `INSERT INTO message_feedback
    (session_id, seq, chatbot_id, client_id, rating, updated_at, tags, comment, rated, content, answered_content)
  SELECT id, ?2, chatbot_id, client_id, ?3, ?6, ?4, ?5, ?7, ?8, ?9 FROM sessions WHERE id = ?1
  ON CONFLICT DO NOTHING`;

/**
 * Sets the feedback on a message. One round trip.
 *
 * @returns `null` if the session was deleted meanwhile
 */
export async function setFeedback(
  db: Database,
  on: { sessionId: string; seq: number },
  { rating, tags, comment }: GivenFeedback,
  message: RatedMessage,
  at: EpochMs,
): Promise<MessageFeedback | null> {
  const { content, answeredContent, ...rated } = message;
  const key = [on.sessionId, on.seq];
  const given = [rating, JSON.stringify(tags), comment];
  const statements = [
    db.$client.prepare(REMOVE_OTHER).bind(...key, ...given),
    db.$client.prepare(INSERT).bind(...key, ...given, at, JSON.stringify(rated), content, answeredContent),
    toStatement(
      db,
      db.select({ updatedAt: messageFeedback.updatedAt }).from(messageFeedback).where(isOn(on.sessionId, on.seq)),
    ),
  ];
  const [, , found] = await retryOnce(() => db.$client.batch<{ updated_at: EpochMs }>(statements));
  const [row] = found?.results ?? [];
  return row ? { seq: on.seq, rating, tags, comment, updatedAt: row.updated_at } : null;
}

/** @returns whether there was feedback on the message */
export const removeFeedback = (db: Database, sessionId: string, seq: number): Promise<boolean> =>
  deleteOnce(
    async () => (await db.delete(messageFeedback).where(isOn(sessionId, seq)).run()).meta.changes > 0,
    // Nothing keeps feedback from being removed.
    async () => true,
  );

/** The statement that removes the feedback of a session. After the session's own row: statistics keep its ratings then. */
export const removeFeedbackOf = (db: Database, sessionId: string) =>
  db.delete(messageFeedback).where(eq(messageFeedback.sessionId, sessionId));

/** Feedback on all messages, the newest change first. One round trip, whatever the length of the list. */
export async function listFeedback(
  db: Database,
  filter: FeedbackFilter,
  page: PageRequest,
): Promise<Page<ListedFeedback>> {
  const [rows, [totals]] = await db.batch([pageOf(db, filter, page), totalOf(db, filter)]);
  const results = rows.map(({ content, answeredContent, rated, ...row }) => ({
    ...row,
    message: { ...rated, content, answeredContent },
  }));
  return { results: fitFeedback(results), total: Number(totals?.total ?? 0) };
}

/** The characters of a text in a list that is too long: 100 results, with two texts each, fit then. */
const SHORT_TEXT = 8_000;

function pageOf(db: Database, filter: FeedbackFilter, page: PageRequest) {
  const { number, sessionId, chatbotId, clientId, rated, content, answeredContent, updatedAt } = messageFeedback;
  const isListed = sql`${number} in (${numbersOf(filter, page)})`;
  const fitting = (column: Column) => sql`iif(fits, ${column}, substr(${column}, 1, ${SHORT_TEXT}))`;
  const isCut = (column: Column) => sql`octet_length(${column}) > octet_length(substr(${column}, 1, ${SHORT_TEXT}))`;
  const bytes = sql`coalesce(sum(${bytesOf([content, answeredContent])}), 0)`;
  return db
    .select({
      ...shownColumns,
      sessionId,
      chatbotId,
      clientId,
      rated,
      content: sql<string>`${fitting(content)}`,
      answeredContent: sql<string | null>`${fitting(answeredContent)}`,
      isShortened: sql`not fits and (${isCut(content)} or coalesce(${isCut(answeredContent)}, 0))`.mapWith(Boolean),
    })
    .from(messageFeedback)
    .crossJoin(sql`(select ${bytes} <= ${MAX_LIST_BYTES} as fits from ${messageFeedback} where ${isListed})`)
    .where(isListed)
    .orderBy(desc(updatedAt), desc(number));
}

/** From an index alone where that is enough, so that skipped rows are not read. */
function numbersOf(filter: FeedbackFilter, { limit, skip }: PageRequest): SQL {
  const { from, updatedAt, number, conditions } = matching(filter);
  return sql`select ${number} from ${from} where ${conditions}
    order by ${updatedAt} desc, ${number} desc limit ${limit} offset ${skip}`;
}

function totalOf(db: Database, filter: FeedbackFilter) {
  const { rating, chatbotId, clientId, tag, from, before } = filter;
  if (clientId === null && tag === null && from === null && before === null)
    return db
      .select({ total: sum(feedbackCounts.count) })
      .from(feedbackCounts)
      .where(and(ifGiven(feedbackCounts.rating, rating), ifGiven(feedbackCounts.chatbotId, chatbotId)));
  const matched = matching(filter);
  return db.select({ total: count() }).from(matched.from).where(matched.conditions);
}

const ifGiven = <T>(column: Column, value: T | null): SQL | undefined =>
  value === null ? undefined : eq(column, value);

/** Where the rows are that match, and the columns that have their order. */
function matching(filter: FeedbackFilter) {
  const { rating, chatbotId, clientId, tag } = filter;
  const { from, table } = tag === null ? { from: sql`${messageFeedback}`, table: messageFeedback } : taggedRows(filter);
  const { updatedAt, number } = table;
  // A client has little feedback. The sign keeps SQLite from an index that it would take for as good.
  const unlessOfClient = (column: Column) => (clientId === null ? sql`${column}` : sql`+${column}`);
  const conditions = and(
    sql`true`,
    tag === null ? undefined : eq(feedbackTags.tag, tag),
    ifGiven(messageFeedback.clientId, clientId),
    chatbotId === null ? undefined : sql`${unlessOfClient(messageFeedback.chatbotId)} = ${chatbotId}`,
    rating === null ? undefined : sql`${unlessOfClient(messageFeedback.rating)} = ${rating}`,
    filter.from === null ? undefined : gte(updatedAt, filter.from),
    filter.before === null ? undefined : lt(updatedAt, filter.before),
  );
  return { from, updatedAt, number, conditions };
}

/** Reads the feedback itself only if there are other filters. */
function taggedRows({ rating, chatbotId, clientId }: FeedbackFilter) {
  const isMore = rating !== null || chatbotId !== null || clientId !== null;
  const rows = sql`cross join ${messageFeedback} on ${messageFeedback.number} = ${feedbackTags.number}`;
  return { from: isMore ? sql`${feedbackTags} ${rows}` : sql`${feedbackTags}`, table: feedbackTags };
}

const textsOf = ({ message }: ListedFeedback): string[] =>
  message.answeredContent === null ? [message.content] : [message.content, message.answeredContent];

/** Cuts all texts if they are more than a list may have. Where D1 has cut them, it has counted characters of two code units as one. */
function fitFeedback(results: ListedFeedback[]): ListedFeedback[] {
  const characters = results.flatMap(textsOf).reduce((total, text) => total + text.length, 0);
  if (characters <= MAX_LIST_CHARACTERS && !results.some(({ isShortened }) => isShortened)) return results;
  return results.map((result) => {
    const { content, answeredContent } = result.message;
    return {
      ...result,
      message: { ...result.message, content: cut(content), answeredContent: answeredContent && cut(answeredContent) },
      isShortened: result.isShortened || textsOf(result).some((text) => text.length > SHORT_TEXT),
    };
  });
}

/** Not in the middle of a character of two code units. */
const cut = (text: string): string => text.slice(0, SHORT_TEXT).replace(/[\uD800-\uDBFF]$/, "");
