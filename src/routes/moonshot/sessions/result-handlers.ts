/**
 * The handlers for the results of a session: export and statistics. Both read the log page by page as it is at the time
 * of the call, so memory does not limit the length of a session. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import { messagesOf, openLog } from "../../../live/read-session.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import { respondWithFile } from "../../http/export.ts";
import type { ExportQuery } from "../../http/export.ts";
import { repliesOf } from "../../http/log-replies.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { exportTexts } from "./export-formats.ts";
import { sessionNotFound } from "../../moonshot-shared/sessions/session-param.ts";
import { presentStatistics } from "./statistics.ts";

export async function exportSession(c: Context<AppEnv>, id: string, query: ExportQuery) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, sessionNotFound(id));
  const texts = exportTexts({ session: log.session, zone: c.env.TIME_ZONE, replies: repliesOf(log) }, query);
  return respondWithFile(c, { sessionId: id, format: query.format, texts });
}

export async function getStatistics(c: Context<AppEnv>, id: string) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, sessionNotFound(id));
  return c.json(await presentStatistics(log.session, messagesOf(log, { form: "counts" })));
}
