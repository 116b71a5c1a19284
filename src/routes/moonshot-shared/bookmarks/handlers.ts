/**
 * Saves and deletes bookmarks, for both of Moonshot's APIs. What is copied, and how an answer looks, is each dialect's own.
 * Effects: queries to D1, audit lines.
 */
import type { Context } from "hono";
import type { Bookmark } from "../../../core/bookmark.ts";
import { invalid } from "../../../core/failure.ts";
import { MAX_ROW_BYTES } from "../../../core/message.ts";
import { now } from "../../../core/time.ts";
import * as store from "../../../store/bookmarks.ts";
import { database } from "../../../store/database.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

type AppContext = Context<AppEnv>;

export const bookmarkNotFound = (name: string): HttpProblem => ({
  reason: "not-found",
  resource: "bookmark",
  id: name,
});

/** @param answer what to answer if it was saved */
export async function saveBookmark(
  c: AppContext,
  { record, ...bookmark }: Omit<Bookmark, "createdAt" | "record"> & { record: object },
  answer: object,
): Promise<Response> {
  const { name } = bookmark;
  const json = JSON.stringify(record);
  if (new TextEncoder().encode(json).byteLength > MAX_ROW_BYTES)
    return respondWithProblem(c, invalid([], "The record is too long to be copied").failure);
  const saveAnswer = saveResponseStatements(c, `bookmark:${name}`, answer, 200);
  const saved = { ...bookmark, record: json, createdAt: now() };
  if (await store.createBookmark(database(c.env.DB), saved, saveAnswer)) return c.json(answer);
  return respondWithProblem(c, { reason: "already-exists", resource: "bookmark", field: "name", value: name });
}

/** @returns whether there was one */
export async function deleteBookmark(c: AppContext, name: string): Promise<boolean> {
  const deleted = await auditIfLost(c, "bookmark-deleted", { name }, store.deleteBookmark(database(c.env.DB), name));
  if (deleted) audit(c, "bookmark-deleted", { name });
  return deleted;
}
