/**
 * The handlers of `/api/v1/bookmarks`: each gets input that has been validated and answers as Moonshot 0.7 does. Effects:
 * queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Bookmark } from "../../../core/bookmark.ts";
import { zonedTime } from "../../../core/time.ts";
import { bookmarkPages, deleteAllBookmarks, findBookmark } from "../../../store/bookmarks.ts";
import { database } from "../../../store/database.ts";
import type { ListPages } from "../../../store/list-pages.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { bookmarkNotFound, deleteBookmark, saveBookmark } from "../../moonshot-shared/bookmarks/handlers.ts";
import type * as responses from "./response-schemas.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const done = (message: string) => ({ success: true, message }) as const;

export async function listBookmarks(c: AppContext, name: string | undefined) {
  const present = (bookmark: Bookmark) => presentBookmark(bookmark, c.env.TIME_ZONE);
  if (name === undefined) return respondWithList(c, bookmarkPages, present);
  const bookmark = await findBookmark(database(c.env.DB), name);
  return bookmark ? c.json([present(bookmark)]) : respondWithProblem(c, bookmarkNotFound(name));
}

/** Of one that was made in `/v1`, what it has in common with those of Moonshot. */
function presentBookmark({ name, record, createdAt }: Bookmark, zone: string): z.output<typeof responses.Bookmark> {
  const shown = JSON.parse(record) as Record<string, string | undefined>;
  return {
    name,
    prompt: shown["prompt"] ?? "",
    prepared_prompt: shown["prepared_prompt"] ?? "",
    response: shown["predicted_result"] ?? "",
    context_strategy: shown["context_strategy"] ?? "",
    prompt_template: shown["prompt_template"] ?? "",
    attack_module: shown["attack_module"] ?? "",
    metric: shown["metric"] ?? "",
    bookmark_time: zonedTime(createdAt, zone),
  };
}

/** Moonshot's UI sends the texts of a record, and not where it is. */
export async function createBookmark(c: AppContext, input: z.output<typeof schemas.CreateBookmark>) {
  const { name, response, bookmark_time: _time, ...others } = input;
  const bookmark = { name, sessionId: null, chatId: null, chatRecordId: null, note: null };
  return saveBookmark(c, { ...bookmark, record: { ...others, predicted_result: response } }, done("Bookmark added"));
}

export async function deleteBookmarks(c: AppContext, { name, all }: z.output<typeof schemas.DeleteBookmarks>) {
  if (all) {
    await auditIfLost(c, "bookmarks-deleted", {}, deleteAllBookmarks(database(c.env.DB)));
    audit(c, "bookmarks-deleted", {});
    return c.json(done("All bookmarks deleted"));
  }
  return (await deleteBookmark(c, name ?? ""))
    ? c.json(done("Bookmark deleted"))
    : respondWithProblem(c, bookmarkNotFound(name ?? ""));
}

export async function exportBookmarks(c: AppContext, fileName: string) {
  // The first page is read before the answer begins, so that an error of D1 has a status of its own.
  const [pages, first] = await readFromReplica(c, async (db) => {
    const list = bookmarkPages(db);
    return [list, (await list.next()).value] as const;
  });
  const name = /\.json$/i.test(fileName) ? fileName : `${fileName}.json`;
  c.header("content-disposition", `attachment; filename="${name}"`);
  return respondWithJsonStream(c, { bookmarks: presentAll(first?.items ?? [], pages, c.env.TIME_ZONE) });
}

async function* presentAll(first: Bookmark[], pages: ListPages<Bookmark>, zone: string) {
  for (const bookmark of first) yield presentBookmark(bookmark, zone);
  for await (const { items } of pages) for (const bookmark of items) yield presentBookmark(bookmark, zone);
}
