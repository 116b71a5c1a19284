/**
 * `/api/v1/sessions`: comparison sessions in the form of Moonshot 0.7. This file lists the routes with their middleware,
 * in the order of the checks.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, the `schemas` files have the schemas of
 * requests and responses, `present` and `records` make JSON of a session and its records.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body, query } from "../../http/validate.ts";
import * as changes from "../../moonshot-shared/sessions/handlers.ts";
import { respondWithSessions } from "../../moonshot-shared/sessions/list-sessions.ts";
import { sessionParam } from "../../moonshot-shared/sessions/session-param.ts";
import * as handlers from "./handlers.ts";
import { presentSession } from "./present.ts";
import * as schemas from "./schemas.ts";

export const sessions = new Hono<AppEnv>({ strict: false })
  .get("/", query(schemas.ListSessions), allowServices, (c) =>
    respondWithSessions(c, c.req.valid("query"), (session) => presentSession(session, c.env.TIME_ZONE)),
  )
  .post("/", body(schemas.CreateSession), allowServices, createOnce, (c) =>
    handlers.createSession(c, c.req.valid("json")),
  )
  .get("/name", query(schemas.ListSessions), allowServices, (c) =>
    respondWithSessions(c, c.req.valid("query"), ({ id }) => id),
  )
  .get("/:id", query(schemas.GetSession), allowServices, sessionParam, (c) =>
    handlers.getSession(c, c.req.valid("param").id, c.req.valid("query").include_history),
  )
  .delete("/:id", allowServices, sessionParam, (c) => changes.deleteSession(c, c.req.valid("param").id))
  .post("/:id/prompt", body(schemas.Prompt), allowServices, sessionParam, (c) =>
    handlers.prompt(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/cancel", allowServices, sessionParam, (c) => changes.cancelTurns(c, c.req.valid("param").id))
  .get("/:id/close", allowServices, sessionParam, (c) => handlers.confirmSession(c, c.req.valid("param").id))
  .put("/:id/prompt-template/:name", allowServices, sessionParam, (c) =>
    changes.setPromptTemplate(c, c.req.valid("param").id, c.req.param("name")),
  )
  .delete("/:id/prompt-template/:name", allowServices, sessionParam, (c) =>
    changes.unsetPromptTemplate(c, c.req.valid("param").id, c.req.param("name")),
  )
  .put("/:id/context-strategy/:name/:count", allowServices, sessionParam, (c) =>
    handlers.setContextStrategy(c, c.req.valid("param").id, c.req.param("name"), c.req.param("count")),
  )
  .delete("/:id/context-strategy/:name/:count", allowServices, sessionParam, (c) =>
    changes.unsetContextStrategy(c, c.req.valid("param").id, c.req.param("name")),
  )
  .put("/:id/system-prompt", body(schemas.SetSystemPrompt), allowServices, sessionParam, (c) =>
    handlers.setSystemPrompt(c, c.req.valid("param").id, c.req.valid("json").system_prompt),
  )
  .delete("/:id/system-prompt", allowServices, sessionParam, (c) =>
    handlers.setSystemPrompt(c, c.req.valid("param").id, ""),
  )
  .put("/:id/attack-module/:name", allowServices, sessionParam, (c) =>
    handlers.setAttackModule(c, c.req.valid("param").id, c.req.param("name")),
  )
  .delete("/:id/attack-module/:name", allowServices, sessionParam, (c) =>
    handlers.unsetAttackModule(c, c.req.valid("param").id, c.req.param("name")),
  )
  .put("/:id/metric/:name", allowServices, sessionParam, (c) => handlers.refuseMetric(c))
  .delete("/:id/metric/:name", allowServices, sessionParam, (c) => handlers.confirmSession(c, c.req.valid("param").id));
