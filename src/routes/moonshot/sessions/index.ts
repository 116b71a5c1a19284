/**
 * `/v1/sessions`: sessions that send one prompt to several endpoints. This file lists the routes with their middleware,
 * in the order of the checks.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `handlers`, `result-handlers` and `bridge-handlers` handle them, the `schemas`
 * files have the schemas of requests and responses, `records` makes chat records from messages, `export-formats` and
 * `statistics` make results of a whole log.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { ExportQuery } from "../../http/export.ts";
import { requireAllowedOrigin, requireAllowedOriginForTicket } from "../../http/cors.ts";
import { createOnce } from "../../http/idempotency.ts";
import { FollowQuery, requireUpgrade } from "../../http/subscribe.ts";
import { body, query } from "../../http/validate.ts";
import * as changes from "../../moonshot-shared/sessions/handlers.ts";
import { sessionParam } from "../../moonshot-shared/sessions/session-param.ts";
import * as bridgeHandlers from "./bridge-handlers.ts";
import * as handlers from "./handlers.ts";
import { refuseReceiptsInStream } from "./receipts.ts";
import * as resultHandlers from "./result-handlers.ts";
import * as schemas from "./schemas.ts";

export const sessions = new Hono<AppEnv>({ strict: false })
  .get("/", query(schemas.ListSessions), allowServices, (c) => handlers.listSessions(c, c.req.valid("query")))
  .post("/", body(schemas.CreateSession), allowServices, createOnce, (c) =>
    handlers.createSession(c, c.req.valid("json")),
  )
  .get("/:id", query(schemas.GetSession), allowServices, sessionParam, (c) =>
    handlers.getSession(c, c.req.valid("param").id, c.req.valid("query")),
  )
  .delete("/:id", allowServices, sessionParam, (c) => changes.deleteSession(c, c.req.valid("param").id))
  .post(
    "/:id/prompt",
    body(schemas.Prompt),
    query(schemas.PromptQuery),
    refuseReceiptsInStream,
    allowServices,
    sessionParam,
    (c) => handlers.prompt(c, c.req.valid("param").id, c.req.valid("json").prompt, c.req.valid("query").include),
  )
  .post("/:id/replay", body(schemas.Replay), allowServices, sessionParam, (c) =>
    bridgeHandlers.replay(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/adopt", body(schemas.Adopt), allowServices, sessionParam, (c) =>
    bridgeHandlers.adopt(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/cancel", allowServices, sessionParam, (c) => changes.cancelTurns(c, c.req.valid("param").id))
  .get("/:id/events", query(FollowQuery), allowServices, requireAllowedOriginForTicket, sessionParam, (c) =>
    handlers.followSession(c, c.req.valid("param").id, c.req.valid("query").after),
  )
  .get("/:id/ws", query(FollowQuery), requireUpgrade, allowServices, requireAllowedOrigin, sessionParam, (c) =>
    handlers.openSocket(c, c.req.valid("param").id, c.req.valid("query").after),
  )
  .post("/:id/tickets", allowServices, sessionParam, (c) => handlers.createTicket(c, c.req.valid("param").id))
  .get("/:id/export", query(ExportQuery), allowServices, sessionParam, (c) =>
    resultHandlers.exportSession(c, c.req.valid("param").id, c.req.valid("query")),
  )
  .get("/:id/stats", allowServices, sessionParam, (c) => resultHandlers.getStatistics(c, c.req.valid("param").id))
  .put("/:id/prompt_templates/:name", allowServices, sessionParam, (c) =>
    changes.setPromptTemplate(c, c.req.valid("param").id, c.req.param("name")),
  )
  .delete("/:id/prompt_templates/:name", allowServices, sessionParam, (c) =>
    changes.unsetPromptTemplate(c, c.req.valid("param").id, c.req.param("name")),
  )
  .put("/:id/context_strategies/:name", allowServices, sessionParam, (c) =>
    changes.setContextStrategy(c, c.req.valid("param").id, c.req.param("name"), null),
  )
  .put("/:id/system_prompt", body(schemas.SetSystemPrompt), allowServices, sessionParam, (c) =>
    changes.amendSession(c, c.req.valid("param").id, { systemPrompt: c.req.valid("json").system_prompt }),
  )
  .delete("/:id/system_prompt", allowServices, sessionParam, (c) =>
    changes.amendSession(c, c.req.valid("param").id, { systemPrompt: null }),
  )
  .delete("/:id/context_strategies/:name", allowServices, sessionParam, (c) =>
    changes.unsetContextStrategy(c, c.req.valid("param").id, c.req.param("name")),
  );
