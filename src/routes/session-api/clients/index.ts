/**
 * `/clients`: the people who talk to chatbots. This file lists the routes with their middleware, in the order of the
 * checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has the schemas
 * of requests and responses, `present` converts the client to JSON.
 */
import { Hono } from "hono/tiny";
import { allowOperators, allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body, query } from "../../http/validate.ts";
import { idParam } from "../id-param.ts";
import { getStatistics } from "../statistics/handlers.ts";
import { StatisticsQuery } from "../statistics/schemas.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

const clientId = idParam(handlers.CLIENT_NOT_FOUND);

export const clients = new Hono<AppEnv>({ strict: false })
  .post("/", body(schemas.CreateClient), allowServices, createOnce, (c) =>
    handlers.createClient(c, c.req.valid("json")),
  )
  .get("/", query(schemas.ListClients), allowOperators, (c) => handlers.listClients(c, c.req.valid("query")))
  .get("/:id", allowOperators, clientId, (c) => handlers.getClient(c, c.req.valid("param").id))
  .get("/:id/stats", query(StatisticsQuery), allowOperators, clientId, (c) =>
    getStatistics(c, "client", c.req.valid("param").id, c.req.valid("query")),
  )
  .put("/:id", body(schemas.UpdateClient), allowServices, clientId, (c) =>
    handlers.updateClient(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .put("/by-external-id/:externalId", body(schemas.UpdateClient), allowServices, (c) =>
    handlers.createOrUpdateClient(c, c.req.param("externalId"), c.req.valid("json")),
  )
  .delete("/:id", allowServices, clientId, (c) => handlers.deleteClient(c, c.req.valid("param").id));
