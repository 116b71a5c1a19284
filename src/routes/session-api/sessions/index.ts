/**
 * `/sessions`: sessions between a chatbot and a client. This file lists the routes with their middleware, in the order
 * of the checks.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `handlers`, `handover-handlers` and `result-handlers` handle them, `schemas`
 * has the schemas of requests and responses, `present` converts a session to JSON, `export-formats` makes files of its
 * replies, `session-param` and `ownership` decide what a caller may see and do.
 */
import { Hono } from "hono/tiny";
import { allowClients, allowEveryRole, allowOperators } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { ExportQuery } from "../../http/export.ts";
import { requireAllowedOrigin, requireAllowedOriginForTicket } from "../../http/cors.ts";
import { createOnce } from "../../http/idempotency.ts";
import { FollowQuery, requireUpgrade } from "../../http/subscribe.ts";
import { body, query } from "../../http/validate.ts";
import * as handovers from "./handover-handlers.ts";
import * as handlers from "./handlers.ts";
import { requireOwnClient, requireUserRole } from "./ownership.ts";
import * as resultHandlers from "./result-handlers.ts";
import * as schemas from "./schemas.ts";
import { requireSeq } from "./seq-param.ts";
import { SESSION_NOT_ACTIVE, sessionParam } from "./session-param.ts";
import * as variants from "./variant-handlers.ts";

const aboutMessage = [sessionParam(SESSION_NOT_ACTIVE), requireSeq] as const;

export const sessions = new Hono<AppEnv>({ strict: false })
  .post("/", body(schemas.CreateSession), allowClients, requireOwnClient, createOnce, (c) =>
    handlers.createSession(c, c.req.valid("json")),
  )
  .get("/", query(schemas.ListSessions), allowEveryRole, (c) => handlers.listSessions(c, c.req.valid("query")))
  .put("/:id", body(schemas.UpdateSession), allowClients, sessionParam(), (c) =>
    handlers.updateSession(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .get("/:id", allowEveryRole, sessionParam(), (c) => handlers.getSession(c, c.req.valid("param").id))
  .delete("/:id", allowClients, sessionParam(), (c) => handlers.deleteSession(c, c.req.valid("param").id))
  .post("/:id/end", allowEveryRole, sessionParam(SESSION_NOT_ACTIVE), (c) =>
    handlers.endSession(c, c.req.valid("param").id),
  )
  .post("/:id/stop", allowClients, sessionParam(), (c) => handlers.stopTurn(c, c.req.valid("param").id))
  .post("/:id/request-human", body(schemas.RequestHuman), allowEveryRole, sessionParam(SESSION_NOT_ACTIVE), (c) =>
    handovers.requestHuman(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/takeover", body(schemas.TakeOver), allowOperators, sessionParam(SESSION_NOT_ACTIVE), (c) =>
    handovers.takeOver(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/handback", body(schemas.HandBack), allowOperators, sessionParam(SESSION_NOT_ACTIVE), (c) =>
    handovers.handBack(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .get("/:id/messages", query(schemas.MessagesQuery), allowEveryRole, sessionParam(), (c) =>
    handlers.listMessages(c, c.req.valid("param").id, c.req.valid("query")),
  )
  .post("/:id/messages/:seq/regenerate", body(schemas.Regenerate), allowClients, ...aboutMessage, (c) =>
    variants.regenerate(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/:id/messages/:seq/edit", body(schemas.Edit), allowClients, ...aboutMessage, (c) =>
    variants.edit(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .put("/:id/messages/:seq/active", allowClients, ...aboutMessage, (c) => variants.activate(c, c.req.valid("param").id))
  .post("/:id/branch", body(schemas.Branch), allowClients, sessionParam(), createOnce, (c) =>
    variants.branch(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .get("/:id/export", query(ExportQuery), allowEveryRole, sessionParam(), (c) =>
    resultHandlers.exportSession(c, c.req.valid("param").id, c.req.valid("query")),
  )
  .get("/:id/stats", allowEveryRole, sessionParam(), (c) => resultHandlers.getStatistics(c, c.req.valid("param").id))
  .get("/:id/events", query(FollowQuery), allowEveryRole, sessionParam(), requireAllowedOriginForTicket, (c) =>
    handlers.followSession(c, c.req.valid("param").id, c.req.valid("query").after),
  )
  .get("/:id/ws", query(FollowQuery), requireUpgrade, allowEveryRole, sessionParam(), requireAllowedOrigin, (c) =>
    handlers.openSocket(c, c.req.valid("param").id, c.req.valid("query").after),
  )
  .post("/:id/tickets", allowEveryRole, sessionParam(), (c) => handlers.createTicket(c, c.req.valid("param").id))
  .post(
    "/message",
    body(schemas.AddMessage),
    query(schemas.SessionQuery),
    allowEveryRole,
    requireUserRole,
    sessionParam(SESSION_NOT_ACTIVE),
    (c) => handlers.addMessage(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .post("/chat", body(schemas.Chat), query(schemas.SessionQuery), allowClients, sessionParam(SESSION_NOT_ACTIVE), (c) =>
    handlers.chat(c, c.req.valid("param").id, c.req.valid("json")),
  );
