/**
 * Lists of sessions over one database, and over several that share the sessions by a hash of their ids: what Parley would do if one
 * database were not enough (see the guide on capacity). Parley itself has one database. Effects: D1.
 */
import type { Page, PageRequest } from "../../src/core/page.ts";
import type { Session } from "../../src/core/session.ts";
import type { Database } from "../../src/store/database.ts";
import type { PopulatedSession } from "../../src/store/fit-list.ts";
import type { SessionFilter } from "../../src/store/session-list.ts";
import { listChatbotSessions, listComparisonSessions } from "../../src/store/session-list.ts";

export interface SessionLists {
  chatbotSessions(filter: SessionFilter, page: PageRequest): Promise<Page<PopulatedSession>>;
  comparisons(page: PageRequest): Promise<Session[]>;
}

export const overOne = (db: Database): SessionLists => ({
  chatbotSessions: (filter, page) => listChatbotSessions({ db, archive: null }, filter, page),
  comparisons: (page) => listComparisonSessions(db, page),
});

/** The database of a session: FNV-1a of its id. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function shardOf(sessionId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < sessionId.length; at++) hash = Math.imul(hash ^ sessionId.charCodeAt(at), 0x01000193) >>> 0;
  return hash % shards;
}

/**
 * Asks all databases at once, each for its newest sessions as far as the page's end, and merges what they answer. The totals are
 * summed.
 */
export const overMany = (dbs: Database[]): SessionLists => ({
  async chatbotSessions(filter, page) {
    const pages = await Promise.all(
      dbs.map((db) => listChatbotSessions({ db, archive: null }, filter, untilEndOf(page))),
    );
    const sort = filter.handler === null || filter.handler === "bot" ? newestFirst : longestFirst;
    const merged = sort(
      pages.flatMap(({ results }) => results),
      ({ session }) => session,
    );
    return { results: cut(merged, page), total: pages.reduce((sum, { total }) => sum + total, 0) };
  },
  async comparisons(page) {
    const lists = await Promise.all(dbs.map((db) => listComparisonSessions(db, untilEndOf(page))));
    return cut(
      newestFirst(lists.flat(), (session) => session),
      page,
    );
  },
});

const untilEndOf = ({ limit, skip }: PageRequest): PageRequest => ({ limit: skip + limit, skip: 0 });

const cut = <T>(entries: T[], { limit, skip }: PageRequest): T[] => entries.slice(skip, skip + limit);

/** Row numbers count within one database. Ids sort by creation too, and decide between sessions of one millisecond. */
const newestFirst = <T>(entries: T[], sessionOf: (entry: T) => Session): T[] =>
  entries.toSorted((one, other) => {
    const [a, b] = [sessionOf(one), sessionOf(other)];
    return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
  });

/** Who waits for a person, or is answered by one, for the longest time. */
const longestFirst = <T>(entries: T[], sessionOf: (entry: T) => Session): T[] =>
  entries.toSorted((one, other) => {
    const [a, b] = [sessionOf(one), sessionOf(other)];
    return (a.handlerSince ?? 0) - (b.handlerSince ?? 0) || (a.id > b.id ? 1 : -1);
  });
