/**
 * `/api/v1/llm-endpoints`: the models that prompts can go to. This file lists the routes with their middleware, in the
 * order of the checks. Requests, and changes of endpoints, are in `moonshot-shared/llm-endpoints`.
 */
import { Hono } from "hono/tiny";
import { database } from "../../../store/database.ts";
import { endpointPages, findEndpoint } from "../../../store/endpoints.ts";
import { allowAdmins, allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { body } from "../../http/validate.ts";
import * as changes from "../../moonshot-shared/llm-endpoints/handlers.ts";
import * as schemas from "../../moonshot-shared/llm-endpoints/schemas.ts";
import { presentEndpoint } from "./present.ts";

export const llmEndpoints = new Hono<AppEnv>({ strict: false })
  .get("/", allowServices, (c) =>
    respondWithList(c, endpointPages, (endpoint) => presentEndpoint(endpoint, c.env.TIME_ZONE)),
  )
  .post("/", body(schemas.CreateEndpoint), allowAdmins, createOnce, (c) =>
    changes.createEndpoint(c, c.req.valid("json")),
  )
  .get("/name", allowServices, (c) => respondWithList(c, endpointPages, ({ id }) => id))
  .get("/:id", allowServices, async (c) => {
    const endpoint = await findEndpoint(database(c.env.DB), c.req.param("id"));
    return endpoint
      ? c.json(presentEndpoint(endpoint, c.env.TIME_ZONE))
      : changes.respondWithEndpointNotFound(c, c.req.param("id"));
  })
  .put("/:id", body(schemas.UpdateEndpoint), allowAdmins, (c) =>
    changes.updateEndpoint(c, c.req.param("id"), c.req.valid("json")),
  )
  .delete("/:id", allowAdmins, (c) => changes.deleteEndpoint(c, c.req.param("id")));
