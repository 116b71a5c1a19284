/**
 * The handlers for the results of a session: export and statistics. Both read the log page by page as it is at the time
 * of the call, so memory does not limit the length of a session. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import { ReplyCounter } from "../../../core/reply-statistics.ts";
import { messagesOf, openLog } from "../../../live/read-session.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import { respondWithFile } from "../../http/export.ts";
import type { ExportQuery } from "../../http/export.ts";
import { repliesOf } from "../../http/log-replies.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { itemBody } from "../envelope.ts";
import { exportTexts } from "./export-formats.ts";
import { presentStatistics } from "./present.ts";
import { SESSION_NOT_FOUND } from "./session-param.ts";

export async function exportSession(c: Context<AppEnv>, id: string, query: ExportQuery) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, SESSION_NOT_FOUND);
  const texts = exportTexts({ session: log.session, viewerRole: c.var.caller.role, replies: repliesOf(log) }, query);
  return respondWithFile(c, { sessionId: id, format: query.format, texts });
}

export async function getStatistics(c: Context<AppEnv>, id: string) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, SESSION_NOT_FOUND);
  const counter = new ReplyCounter();
  for await (const { reply } of messagesOf(log, { form: "counts" })) if (reply) counter.add(reply);
  return c.json(itemBody(presentStatistics(id, counter.statistics, c.var.caller.role)));
}
