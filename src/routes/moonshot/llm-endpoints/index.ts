/**
 * `/v1/llm_endpoints`: the models that prompts can go to. This file lists the routes with their middleware, in the
 * order of the checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has
 * the schemas of requests and responses, `endpoint-rules` has the checks that need more than one field, `present` makes
 * JSON of an endpoint, `test-endpoint` calls one.
 */
import { Hono } from "hono/tiny";
import { allowAdmins, allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body } from "../../http/validate.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

export const llmEndpoints = new Hono<AppEnv>({ strict: false })
  .get("/", allowServices, handlers.listEndpoints)
  .post("/", body(schemas.CreateEndpoint), allowAdmins, createOnce, (c) =>
    handlers.createEndpoint(c, c.req.valid("json")),
  )
  .get("/:id", allowServices, (c) => handlers.getEndpoint(c, c.req.param("id")))
  .post("/:id/test", allowServices, (c) => handlers.testEndpoint(c, c.req.param("id")))
  .put("/:id", body(schemas.UpdateEndpoint), allowAdmins, (c) =>
    handlers.updateEndpoint(c, c.req.param("id"), c.req.valid("json")),
  )
  .delete("/:id", allowAdmins, (c) => handlers.deleteEndpoint(c, c.req.param("id")));
