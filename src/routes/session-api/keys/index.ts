/**
 * `/keys`: API keys, for admins, and for services that need one for a client. This file lists the routes with their middleware, in the order of the checks. In this
 * folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has the schemas of requests and
 * responses, `present` converts a key to JSON, `service-keys` decides which keys a service may make.
 */
import { Hono } from "hono/tiny";
import { allowAdmins, allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { body, query } from "../../http/validate.ts";
import { idParam } from "../id-param.ts";
import * as handlers from "./handlers.ts";
import { allowKeysForClients } from "./service-keys.ts";
import * as schemas from "./schemas.ts";

const keyId = idParam(handlers.KEY_NOT_FOUND);

export const keys = new Hono<AppEnv>({ strict: false })
  .post("/", body(schemas.CreateKey), allowServices, allowKeysForClients, (c) =>
    handlers.createKey(c, c.req.valid("json")),
  )
  .get("/", query(schemas.ListKeys), allowAdmins, (c) => handlers.listKeys(c, c.req.valid("query")))
  .delete("/:id", allowAdmins, keyId, (c) => handlers.deleteKey(c, c.req.valid("param").id));
