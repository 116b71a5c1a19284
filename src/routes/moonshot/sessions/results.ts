import { Hono } from "hono";
import { rootCause } from "../../../core/failure.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { messagesOf, openLog } from "../../http/open-log.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { textStream } from "../../http/text-stream.ts";
import { query } from "../../http/validate.ts";
import { answersOf } from "./answers.ts";
import * as examples from "./examples.ts";
import { EXPORT_FORMATS } from "./export-formats.ts";
import { SESSION_ID, noSession } from "./following.ts";
import * as schemas from "./result-schemas.ts";
import { presentStatistics } from "./statistics.ts";

/** The longest name of an exported file, without its ending: file systems take 255 bytes. */
const FILE_NAME_CHARACTERS = 200;

/** `/v1/sessions/:id/…`: what a session brought, to take away and in numbers. */
export const results = new Hono<AppEnv>({ strict: false })
  .get(
    "/:id/export",
    describe({
      id: "exportComparisonSession",
      tag: "Moonshot",
      summary: "Export the records of a session: turn by turn, in the order of its chats, as its log stands now",
      answer: { status: 200, description: "A file, as it is read off the log", texts: examples.exported },
      problems: [404],
    }),
    query(schemas.Export),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const log = SESSION_ID.test(id) ? await openLog(c, id) : null;
      if (!log) return respondWithProblem(c, noSession(id));
      const { format } = c.req.valid("query");
      const { contentType, text } = EXPORT_FORMATS[format];
      const pieces = text({ sessionId: id, zone: c.env.TIME_ZONE, answers: answersOf(log) });
      const stream = textStream(pieces, (error) =>
        console.error({ event: "export-broke-off", requestId: c.var.requestId, error: rootCause(error) }),
      );
      return c.body(stream, 200, {
        "content-type": contentType,
        "content-disposition": `attachment; filename="${fileNameOf(id)}.${format}"`,
      });
    },
  )
  .get(
    "/:id/stats",
    describe({
      id: "getComparisonStatistics",
      tag: "Moonshot",
      summary: "A session in numbers: outcomes, times, tokens and cost of each chat, and of all",
      answer: { status: 200, description: "The numbers", schema: schemas.Statistics, example: examples.statistics },
      problems: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const log = SESSION_ID.test(id) ? await openLog(c, id) : null;
      return log ? c.json(await presentStatistics(log.session, messagesOf(log))) : respondWithProblem(c, noSession(id));
    },
  );

/** Of the id's end: that is where the stamp is, and what tells sessions of one name apart. */
const fileNameOf = (id: string): string => id.replace(/[^\w-]/g, "_").slice(-FILE_NAME_CHARACTERS);
