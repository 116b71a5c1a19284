/**
 * Answers a whole list as a bare JSON array, however long it is: at once when it is one page, otherwise while its pages
 * are read. Lists with a paginator do not belong here. Effects: queries to D1.
 */
import type { Context } from "hono";
import { CallerLeft } from "../../core/failure.ts";
import type { Batch } from "../../core/page.ts";
import type { Database } from "../../store/database.ts";
import type { ListPages } from "../../store/list-pages.ts";
import type { AppEnv } from "./context.ts";
import { hasLeft, readFromReplica } from "./context.ts";
import { respondWithJsonStream } from "./json-stream.ts";

/**
 * The first page is read before the answer begins, so that an error of D1 then has a status of its own.
 *
 * @param openPages the list, page by page
 */
export async function respondWithList<T>(
  c: Context<AppEnv>,
  openPages: (db: Database) => ListPages<T>,
  present: (item: T) => object | string,
): Promise<Response> {
  const [pages, first] = await readFromReplica(c, async (db) => {
    const list = openPages(db);
    return [list, (await list.next()).value] as const;
  });
  return first?.hasMore
    ? respondWithJsonStream(
        c,
        presentAll(first, pages, present, () => hasLeft(c)),
      )
    : c.json(first?.items.map(present) ?? []);
}

async function* presentAll<T>(
  first: Batch<T>,
  rest: ListPages<T>,
  present: (item: T) => object | string,
  hasCallerLeft: () => boolean,
) {
  for (const item of first.items) yield present(item);
  for await (const { items } of rest) {
    if (hasCallerLeft()) throw new CallerLeft();
    for (const item of items) yield present(item);
  }
}
