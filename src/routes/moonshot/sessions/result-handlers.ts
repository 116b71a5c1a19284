/**
 * The handlers for the results of a session: export and statistics. Both read the log page by page as it is at the time
 * of the call, so memory does not limit the length of a session. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import { rootCause } from "../../../core/failure.ts";
import { messagesOf, openLog } from "../../../live/read-session.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import { requestIdsOf } from "../../http/request-id.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { textStream } from "../../http/text-stream.ts";
import { repliesOf } from "./replies.ts";
import { EXPORT_FORMATS } from "./export-formats.ts";
import { sessionNotFound } from "./session-param.ts";
import { presentStatistics } from "./statistics.ts";

/** The longest name of an exported file, without its extension: file systems allow 255 bytes. */
const FILE_NAME_CHARACTERS = 200;

export async function exportSession(c: Context<AppEnv>, id: string, format: keyof typeof EXPORT_FORMATS) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, sessionNotFound(id));
  const { contentType, text } = EXPORT_FORMATS[format];
  const texts = text({ sessionId: id, zone: c.env.TIME_ZONE, replies: repliesOf(log) });
  const stream = textStream(texts, (error) =>
    console.error({ event: "export-broke-off", ...requestIdsOf(c), error: rootCause(error) }),
  );
  return c.body(stream, 200, {
    "content-type": contentType,
    "content-disposition": `attachment; filename="${fileNameOf(id)}.${format}"`,
  });
}

export async function getStatistics(c: Context<AppEnv>, id: string) {
  const log = await openLog(readerOf(c), id);
  if (!log) return respondWithProblem(c, sessionNotFound(id));
  return c.json(await presentStatistics(log.session, messagesOf(log)));
}

/**
 * The end of an id has its time stamp, which differs between sessions of one name, so a long id loses its beginning.
 */
const fileNameOf = (id: string): string => id.replace(/[^\w-]/g, "_").slice(-FILE_NAME_CHARACTERS);
