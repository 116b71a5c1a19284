/**
 * The handlers of `/v1/bookmarks`: each gets input that has been validated. Effects: RPC to a session's object, queries to
 * D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Bookmark } from "../../../core/bookmark.ts";
import { openLog } from "../../../live/read-session.ts";
import { bookmarkPages, findBookmark } from "../../../store/bookmarks.ts";
import { database } from "../../../store/database.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { bookmarkNotFound, deleteBookmark as remove, saveBookmark } from "../../moonshot-shared/bookmarks/handlers.ts";
import { findRecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import { sessionNotFound } from "../../moonshot-shared/sessions/session-param.ts";
import { presentRecord } from "../sessions/records.ts";
import type * as responses from "./response-schemas.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export const listBookmarks = (c: AppContext) => respondWithList(c, bookmarkPages, presentBookmark);

export async function getBookmark(c: AppContext, name: string) {
  const bookmark = await findBookmark(database(c.env.DB), name);
  return bookmark ? c.json(presentBookmark(bookmark)) : respondWithProblem(c, bookmarkNotFound(name));
}

const presentBookmark = (bookmark: Bookmark): z.output<typeof responses.Bookmark> => ({
  name: bookmark.name,
  session_id: bookmark.sessionId,
  chat_id: bookmark.chatId,
  chat_record_id: bookmark.chatRecordId,
  note: bookmark.note,
  created_epoch: bookmark.createdAt / 1000,
  record: JSON.parse(bookmark.record) as z.output<typeof responses.Bookmark>["record"],
});

export async function createBookmark(c: AppContext, input: z.output<typeof schemas.CreateBookmark>) {
  const { name, session_id: sessionId, chat_id: chatId, chat_record_id: chatRecordId, note } = input;
  const log = await openLog(readerOf(c), sessionId);
  if (log?.session.kind !== "comparison") return respondWithProblem(c, sessionNotFound(sessionId));
  if (!log.session.chats.some((chat) => chat.chatId === chatId))
    return respondWithProblem(c, { reason: "not-found", resource: "chat", id: chatId });
  const source = await findRecordSource(log, chatId, chatRecordId);
  if (!source) return respondWithProblem(c, { reason: "not-found", resource: "record", id: String(chatRecordId) });
  const { attack } = source.reply;
  const record = {
    ...presentRecord(source, c.env.TIME_ZONE, undefined),
    ...(attack ? { attack_module: attack.module } : {}),
  };
  return saveBookmark(c, { name, sessionId, chatId, chatRecordId, note, record }, SUCCESS);
}

export async function deleteBookmark(c: AppContext, name: string) {
  return (await remove(c, name)) ? c.json(SUCCESS) : respondWithProblem(c, bookmarkNotFound(name));
}
