/** Everything of a list that is read in pages, for a choice among all of it. */
import type { Page } from "../../client/envelope.ts";

/** As many as one call of the API lists. */
const PAGE_SIZE = 100;
/** Nobody chooses among more. The newest come first. */
const MOST = 1_000;

export async function listAll<T>(list: (query: { limit: number; skip: number }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let skip = 0; skip < MOST; skip += PAGE_SIZE) {
    const { results, paginatorInfo } = await list({ limit: PAGE_SIZE, skip });
    all.push(...results);
    if (results.length === 0 || all.length >= paginatorInfo.total) break;
  }
  return all;
}
