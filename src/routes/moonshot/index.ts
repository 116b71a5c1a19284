import { Hono } from "hono";
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import { requireRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { describe } from "../openapi/describe.ts";
import { query } from "../http/validate.ts";
import { llmEndpoints } from "./llm-endpoints/index.ts";
import { contextStrategies, promptTemplates } from "./prompt-templates/index.ts";
import { presentConnector } from "./present.ts";
import * as schemas from "./schemas.ts";
import { sessions } from "./sessions/index.ts";

/** `/v1`: the Moonshot API. */
export const v1 = new Hono<AppEnv>({ strict: false })
  .route("/sessions", sessions)
  .route("/llm_endpoints", llmEndpoints)
  .route("/prompt_templates", promptTemplates)
  .route("/context_strategies", contextStrategies)
  .get(
    "/connectors",
    describe({
      id: "listConnectors",
      tag: "Moonshot",
      summary: "List connector types",
      answer: {
        status: 200,
        description: "Their names; with `include=fields`, what each needs",
        schema: schemas.Connectors,
        example: CONNECTOR_TYPES,
      },
    }),
    query(schemas.ListConnectors),
    requireRole("admin", "service"),
    (c) =>
      c.json(
        c.req.valid("query").include === "fields"
          ? CONNECTOR_TYPES.map((type) => presentConnector(type, PROVIDERS[type]))
          : [...CONNECTOR_TYPES],
      ),
  );
