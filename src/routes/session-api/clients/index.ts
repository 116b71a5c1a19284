/**
 * `/clients`: the people who talk to chatbots. This file lists the routes with their middleware, in the order of the
 * checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has the schemas
 * of requests and responses, `present` converts the client to JSON.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body, query } from "../../http/validate.ts";
import { idParam } from "../id-param.ts";
import * as docs from "./docs.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

const clientId = idParam(handlers.CLIENT_NOT_FOUND);

export const clients = new Hono<AppEnv>({ strict: false })
  .post("/", docs.createClient, body(schemas.CreateClient), allowServices, createOnce, (c) =>
    handlers.createClient(c, c.req.valid("json")),
  )
  .get("/", docs.listClients, query(schemas.ListClients), allowServices, (c) =>
    handlers.listClients(c, c.req.valid("query")),
  )
  .get("/:id", docs.getClient, allowServices, clientId, (c) => handlers.getClient(c, c.req.valid("param").id))
  .put("/:id", docs.updateClient, body(schemas.UpdateClient), allowServices, clientId, (c) =>
    handlers.updateClient(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .put("/by-external-id/:externalId", docs.createOrUpdateClient, body(schemas.UpdateClient), allowServices, (c) =>
    handlers.createOrUpdateClient(c, c.req.param("externalId"), c.req.valid("json")),
  )
  .delete("/:id", docs.deleteClient, allowServices, clientId, (c) => handlers.deleteClient(c, c.req.valid("param").id));
