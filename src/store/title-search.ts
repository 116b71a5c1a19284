/**
 * Finds sessions whose title contains a text, by the full-text index of titles or by a scan of the titles. The other
 * filters of a list are in `session-list.ts`. Pure.
 */
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { foldText } from "../core/fold.ts";
import { sessions } from "./tables.ts";

/** The length of the terms of the index, in characters. It finds no shorter text by itself. */
const TRIGRAM_LENGTH = 3;

const lengthOf = (search: string): number => Array.from(foldText(search)).length;

export const isInIndex = (search: string): boolean => lengthOf(search) >= TRIGRAM_LENGTH;

/** Whether SQLite takes it for another text: its index and its patterns read U+FFFE and U+FFFF as U+FFFD. */
export const isMisread = (search: string): boolean => /[\ufffe\uffff]/.test(search);

/** Whether {@link searchPair} can find it. A single letter begins too many terms. */
export const isPair = (search: string): boolean => lengthOf(search) === TRIGRAM_LENGTH - 1 && !isMisread(search);

/** The search text as a string of the index's query language. */
export const phraseOf = (search: string): string => `"${foldText(search).replaceAll('"', '""')}"`;

/** For a short text `glob` takes two thirds of the time of `instr`. D1 refuses patterns of more than 50 bytes. */
export function titleContains(search: string): SQL {
  const text = foldText(search);
  const contains = sql`instr(${sessions.titleFolded}, ${text})`;
  if (isInIndex(search)) return contains;
  const matches = sql`${sessions.titleFolded} glob ${`*${text.replaceAll(/[*?[]/g, "[$&]")}*`}`;
  return isMisread(search) ? sql`${matches} and ${contains}` : matches;
}

/** Parts of a query for two letters. */
interface PairSearch {
  /** Goes before the query's `select`. */
  terms: SQL;
  /** What to search the index for. Finds nothing unless {@link isFew}. */
  phrases: SQL;
  /** Whether the index is faster than a scan. */
  isFew: SQL;
}

/**
 * Two letters begin those terms of the index that go on with any third character. Each title ends with a soft hyphen in
 * the index, which folding leaves in no title, so that its last two letters begin a term too.
 *
 * A search for one of several terms takes time for each match and term, a scan for each title. The numbers are from
 * measurements: a match takes as long as two thirds of a scanned title, and another 1/30 of one for each term.
 */
export function searchPair(search: string): PairSearch {
  const first = foldText(search);
  const isFew = sql`(select coalesce(sum(doc) * (20 + count(*)), 0) < 30 * (select max(number) from ${sessions}) from terms)`;
  const anyTerm = sql`(select coalesce(group_concat('"' || replace(term, '"', '""') || '"', ' OR '), '""') from terms)`;
  return {
    terms: sql`with terms as materialized (select term, doc from session_titles_terms
      where term >= ${first} and term <= ${`${first}\u{10ffff}`})`,
    phrases: sql`iif(${isFew}, ${anyTerm}, '""')`,
    isFew,
  };
}
