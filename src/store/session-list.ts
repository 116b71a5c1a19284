/**
 * Lists and searches sessions in D1, with the records that a list shows: chatbots, clients, newest messages. Single
 * sessions are in `sessions.ts`. Every query has an index of `tables.ts` to use. Effects: D1.
 */
import { and, asc, count, desc, eq, gte, lt, sql, sum } from "drizzle-orm";
import type { Column, SQL } from "drizzle-orm";
import type { Client } from "../core/client.ts";
import { hasText } from "../core/message.ts";
import type { Handler } from "../core/handover.ts";
import type { Page, PageRequest } from "../core/page.ts";
import type { Session, SessionStatus } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { chatbotStore, clientStore } from "./chatbots-and-clients.ts";
import { selectArchives } from "./archive/archived-sessions.ts";
import type { LogStore } from "./archive/bucket.ts";
import { newestArchived, withArchived } from "./archive/newest-archived.ts";
import { MAX_LIST_BYTES, MAX_LIST_CHARACTERS, fitSessions } from "./fit-list.ts";
import type { ListedChatbot, PopulatedSession } from "./fit-list.ts";
import { bytesOf, limitByBytes } from "./list-pages.ts";
import { groupBySession, newestMessages } from "./messages.ts";
import { toSession } from "./sessions.ts";
import type { SessionRow } from "./sessions.ts";
import {
  clients,
  isChatbotSession,
  isComparisonSession,
  isNotBots,
  isOfRun,
  sessionCounts,
  sessions,
} from "./tables.ts";
import { isInIndex, isMisread, isPair, phraseOf, searchPair, titleContains } from "./title-search.ts";

/** Newest messages per session in a list. */
const LISTED_MESSAGES = 100;

/** From here on a page is worth a look at the length of the list. */
const FAR = 1_000;

export interface SessionFilter {
  search: string | null;
  status: SessionStatus | null;
  /** Who answers. With `waiting` or `human` the page begins with the longest wait or hand-over. */
  handler: Handler | null;
  chatbotId: string | null;
  clientId: string | null;
  /** Whether to find nothing if the client was deleted. */
  clientMustExist: true | null;
  /** Created at this time or later. */
  from: EpochMs | null;
  /** Created before this time. */
  before: EpochMs | null;
}

/** A page of chatbot sessions, newest first unless a person is asked for. Two round trips, whatever the length of the list. */
export async function listChatbotSessions(
  store: LogStore,
  filter: SessionFilter,
  page: PageRequest,
): Promise<Page<PopulatedSession>> {
  const { db } = store;
  const [rows, [totals]] = await db.batch([pageOf(db, filter, page), totalOf(db, filter)]);
  const results = rows.length === 0 ? [] : await populate(store, rows);
  return { results, total: Number(totals?.total ?? 0) };
}

/** The statements that read the chatbots and clients of sessions, deleted ones included. */
function referencedRecords(db: Database, found: Pick<Session, "chatbotId" | "clientId">[]) {
  const chatbotIds = found.map(({ chatbotId }) => chatbotId);
  const clientIds = found.map(({ clientId }) => clientId);
  return [chatbotStore.selectByIds(db, chatbotIds), clientStore.selectByIds(db, clientIds)] as const;
}

async function populate(store: LogStore, rows: SessionRow[]): Promise<PopulatedSession[]> {
  const { db } = store;
  const [ids, numbers] = [rows.map(({ id }) => id), rows.map(({ number }) => number)];
  const limits = { messages: LISTED_MESSAGES, characters: MAX_LIST_CHARACTERS / rows.length };
  const newest = newestMessages(db, numbers, limits.messages, limits.characters);
  const [[chatbots, owners, stored, archives], archived] = await Promise.all([
    // Without an archive nothing moves there, so nothing has to be asked.
    db.batch([...referencedRecords(db, rows), newest, ...(store.archive ? [selectArchives(db, ids)] : [])]),
    newestArchived(store, rows, limits),
  ]);
  const storedOf = groupBySession(stored);
  const logOf = await withArchived(store, rows, storedOf, archived, archives ?? [], limits);
  const [chatbotOf, clientOf] = [byId<ListedChatbot>(chatbots), byId<Client>(owners)];
  const results = rows.map((row) => ({
    session: toSession(row),
    chatbot: chatbotOf.get(row.chatbotId ?? "") ?? null,
    client: clientOf.get(row.clientId ?? "") ?? null,
    messages: (logOf.get(row.number) ?? []).filter(hasText).slice(-LISTED_MESSAGES),
  }));
  return fitSessions(results);
}

const byId = <T extends { id: string }>(rows: T[]): Map<string, T> => new Map(rows.map((row) => [row.id, row]));

const newestFirst = [desc(sessions.createdAt), desc(sessions.number)] as const;
const longestFirst = [asc(sessions.handlerSince), asc(sessions.number)] as const;

/** Whether the bot is not alone. Such sessions are few, and have an index of their own. */
const isHandedOver = ({ handler }: SessionFilter): boolean => handler !== null && handler !== "bot";

function pageOf(db: Database, filter: SessionFilter, page: PageRequest) {
  return db
    .select()
    .from(sessions)
    .where(sql`${sessions.number} in (${numbersOf(filter, page)})`)
    .orderBy(...(isHandedOver(filter) ? longestFirst : newestFirst));
}

/** Selects the numbers first, from an index alone, so that skipped rows are not read. */
function numbersOf(filter: SessionFilter, page: PageRequest): SQL {
  if (usesTrigrams(filter))
    return sql`select f.rowid ${titlesMatching(filter)} order by f.rowid desc limit ${page.limit} offset ${page.skip}`;
  return isPairAlone(filter) ? numbersWithPair(filter, page) : numbersInOrder(filter, page);
}

/** Far down a list whose length is kept, the walk begins at its nearer end. */
function numbersInOrder(filter: SessionFilter, { limit, skip }: PageRequest): SQL {
  const matching = sql`select ${sessions.number} from ${sessions} where ${matchesOf(filter)}`;
  if (isHandedOver(filter))
    return sql`${matching} order by ${sessions.handlerSince}, ${sessions.number} limit ${limit} offset ${skip}`;
  const fromNewest = sql`${matching} order by ${sessions.createdAt} desc, ${sessions.number} desc`;
  if (skip < FAR || !isCounted(filter)) return sql`${fromNewest} limit ${limit} offset ${skip}`;
  const fromOldest = sql`${matching} order by ${sessions.createdAt}, ${sessions.number}`;
  const total = sql`(select coalesce(sum(${sessionCounts.sessions}), 0) from ${sessionCounts} where ${countFilter(filter) ?? sql`true`})`;
  const isNearNewest = sql`${skip} * 2 <= ${total}`;
  return sql`select number from (${fromNewest} limit iif(${isNearNewest}, ${limit}, 0) offset ${skip})
    union all select number from (${fromOldest}
      limit iif(${isNearNewest}, 0, max(0, min(${limit}, ${total} - ${skip}))) offset max(0, ${total} - ${skip} - ${limit}))`;
}

/** From the index of titles or by a scan: the other of them finds nothing. */
function numbersWithPair(filter: SessionFilter, { limit, skip }: PageRequest): SQL {
  const { terms, phrases, isFew } = searchPair(filter.search ?? "");
  return sql`${terms} select number from (select f.rowid as number from session_titles f
      where f.session_titles match ${phrases} order by f.rowid desc limit ${limit} offset ${skip})
    union all select number from (select ${sessions.number} from ${sessions} where ${matchesOf(filter)}
      order by ${sessions.createdAt} desc, ${sessions.number} desc limit iif(${isFew}, 0, ${limit}) offset ${skip})`;
}

function totalWithPair(filter: SessionFilter): SQL<number> {
  const { terms, phrases, isFew } = searchPair(filter.search ?? "");
  return sql`(${terms} select (select count(*) from session_titles f
      where f.session_titles match ${phrases})
    + (select count(*) from (select 1 from ${sessions} where ${matchesOf(filter)} limit iif(${isFew}, 0, -1))))`;
}

function totalOf(db: Database, filter: SessionFilter) {
  if (usesTrigrams(filter)) {
    return db.select({ total: sql<number>`(select count(*) ${titlesMatching(filter)})` }).from(sql`(select 1)`);
  }
  if (isPairAlone(filter)) return db.select({ total: totalWithPair(filter) }).from(sql`(select 1)`);
  if (isCounted(filter)) {
    const total = sum(sessionCounts.sessions);
    return db.select({ total }).from(sessionCounts).where(countFilter(filter));
  }
  if (filter.handler === "bot" && isCounted({ ...filter, handler: null })) {
    const handedOver = and(HANDED_OVER, recordsAre(filter, true));
    const total = sql<number>`sum(${sessionCounts.sessions}) - (select count(*) from ${sessions} where ${handedOver})`;
    return db.select({ total }).from(sessionCounts).where(countFilter(filter));
  }
  return db.select({ total: count() }).from(sessions).where(matchesOf(filter));
}

/**
 * Titles that contain the search text, from the full-text index. Reads session rows only if there are other filters, or if the
 * index finds other texts too.
 */
function titlesMatching(filter: SessionFilter): SQL {
  const search = filter.search ?? "";
  const phrase = phraseOf(search);
  const others = hasOthers(filter) || isMisread(search);
  const rows = others ? sql`cross join ${sessions} on ${sessions.number} = f.rowid` : sql``;
  const conditions = others ? sql`and ${isMisread(search) ? matchesOf(filter) : conditionsOf(filter)}` : sql``;
  return sql`from session_titles f ${rows} where f.session_titles match ${phrase} ${conditions}`;
}

/** A client has few sessions, and few are handed over, so a search among them scans their titles. */
const usesTrigrams = (filter: SessionFilter): boolean =>
  filter.search !== null && filter.clientId === null && !isHandedOver(filter) && isInIndex(filter.search);

/** Whether it is a search for two letters in all titles. Another filter leaves few titles to scan. */
const isPairAlone = (filter: SessionFilter): boolean =>
  filter.search !== null && isPair(filter.search) && !hasOthers(filter);

const hasOthers = (filter: SessionFilter): boolean =>
  Object.values({ ...filter, search: null }).some((value) => value !== null);

/** Whether `session_counts` has the number of sessions that match. */
const isCounted = ({ search, handler, clientId, from, before }: SessionFilter): boolean =>
  search === null && handler === null && clientId === null && from === null && before === null;

const countFilter = ({ chatbotId, status }: SessionFilter): SQL | undefined =>
  and(
    chatbotId === null ? undefined : eq(sessionCounts.chatbotId, chatbotId),
    status === null ? undefined : eq(sessionCounts.status, status),
  );

const matchesOf = (filter: SessionFilter): SQL | undefined =>
  and(conditionsOf(filter), filter.search === null ? undefined : titleContains(filter.search));

/**
 * The narrowest filter uses its index: fewest sessions are handed over, a client has fewer than a chatbot, and a chatbot
 * fewer than all.
 */
function conditionsOf(filter: SessionFilter): SQL | undefined {
  const { clientId, clientMustExist, from, before } = filter;
  return and(
    handlerIs(filter),
    recordsAre(filter, isHandedOver(filter)),
    clientId !== null && clientMustExist
      ? sql`exists (select 1 from ${clients} where ${clients.id} = ${clientId} and ${clients.deletedAt} is null)`
      : undefined,
    from === null ? undefined : gte(sessions.createdAt, from),
    before === null ? undefined : lt(sessions.createdAt, before),
  );
}

/** The index of these is searched by value, but has no other rows. */
const HANDED_OVER = sql`${isNotBots} and ${sessions.handler} in ('waiting', 'human')`;

/** Nearly all sessions are the bot's, so these are found by what they are not. */
function handlerIs(filter: SessionFilter): SQL | undefined {
  const { handler, chatbotId, clientId } = filter;
  if (isHandedOver(filter)) return sql`${isNotBots} and ${sessions.handler} = ${handler}`;
  const isOfBot = sql`${sessions.number} not in (select number from ${sessions} where ${HANDED_OVER})`;
  return and((clientId ?? chatbotId) ? undefined : isChatbotSession, handler === null ? undefined : isOfBot);
}

/** @param byHandler whether the condition for the handler uses its index */
function recordsAre({ status, chatbotId, clientId }: SessionFilter, byHandler: boolean): SQL | undefined {
  const isSecondary = byHandler || clientId !== null;
  return and(
    clientId === null ? undefined : equals(sessions.clientId, clientId, byHandler),
    chatbotId === null ? undefined : equals(sessions.chatbotId, chatbotId, isSecondary),
    status === null ? undefined : equals(sessions.status, status, isSecondary),
  );
}

/**
 * @param isSecondary whether another filter uses its index; the unary plus keeps SQLite from using one for this column
 */
const equals = (column: Column, value: string, isSecondary: boolean): SQL =>
  isSecondary ? sql`+${column} = ${value}` : eq(column, value);

/**
 * Comparison sessions, newest first: at most `limit`, and fewer if they have more characters than a list may have. One
 * round trip.
 *
 * @param runId the run whose conversations to list; `null` for the sessions of no run
 */
export async function listComparisonSessions(
  db: Database,
  { limit, skip }: PageRequest,
  runId: string | null = null,
): Promise<Session[]> {
  const isListed = runId === null ? isComparisonSession : sql`${isOfRun} and ${sessions.runId} = ${runId}`;
  const rows = sql`select ${bytesOf([sessions.chats, sessions.description])} as size, ${sessions.createdAt}, ${sessions.number}
    from ${sessions} where ${isListed}`;
  const page = await db
    .select()
    .from(sessions)
    .where(isListed)
    .orderBy(...newestFirst)
    .limit(limitByBytes(MAX_LIST_BYTES, { rows, order: sql`created_at desc, number desc`, limit, skip }))
    .offset(skip);
  return page.map(toSession);
}
