/** Bookmarks in D1. Effects: D1. */
import { and, eq, gte, lt } from "drizzle-orm";
import type { Bookmark } from "../core/bookmark.ts";
import type { Database } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { insertOnce } from "./insert-once.ts";
import { readPages } from "./list-pages.ts";
import type { ListPages } from "./list-pages.ts";
import { idempotencyKeys } from "./access-tables.ts";
import { bookmarks } from "./tables.ts";

/**
 * @param moreStatements statements for the same transaction
 * @returns whether the bookmark was created. It is not if its name exists.
 */
export const createBookmark = (
  db: Database,
  bookmark: Bookmark,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> => insertOnce(db, bookmarks, bookmark, bookmarks.name, moreStatements);

/** All bookmarks by name, page by page. */
export const bookmarkPages = (db: Database): ListPages<Bookmark> =>
  readPages(db, { table: bookmarks, key: bookmarks.name, longColumns: [bookmarks.record, bookmarks.note] });

export async function findBookmark(db: Database, name: string): Promise<Bookmark | null> {
  return (await db.select().from(bookmarks).where(eq(bookmarks.name, name)).get()) ?? null;
}

/** @returns whether there was one */
export async function deleteBookmark(db: Database, name: string): Promise<boolean> {
  const remove = db.delete(bookmarks).where(eq(bookmarks.name, name));
  const forget = forgetResponse(db, `bookmark:${name}`);
  const write = async () => (await db.batch([remove, forget]))[0].meta.changes > 0;
  return deleteOnce(write, async () => (await findBookmark(db, name)) === null);
}

/** Also forgets the answers that created them: `;` follows `:`. */
export async function deleteAllBookmarks(db: Database): Promise<void> {
  const forget = db
    .delete(idempotencyKeys)
    .where(and(gte(idempotencyKeys.resource, "bookmark:"), lt(idempotencyKeys.resource, "bookmark;")));
  await db.batch([db.delete(bookmarks), forget]);
}
