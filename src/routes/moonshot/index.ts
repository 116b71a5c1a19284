/**
 * `/v1`: the Moonshot API. This file mounts its resources and has the two lists that Parley itself defines.
 *
 * In this folder: `sessions`, `llm-endpoints`, `prompt-templates`, `bookmarks` and `runs`, each with its routes in `index.ts`; `dialect` for
 * subscribers. What it shares with Moonshot 0.7 is in `moonshot-shared`.
 */
import { Hono } from "hono/tiny";
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";
import { allowServices } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { query } from "../http/validate.ts";
import { bookmarks } from "./bookmarks/index.ts";
import { llmEndpoints } from "./llm-endpoints/index.ts";
import { presentConnector } from "./present.ts";
import { promptTemplates } from "./prompt-templates/index.ts";
import { runs } from "./runs/index.ts";
import * as schemas from "./schemas.ts";
import { sessions } from "./sessions/index.ts";

export const v1 = new Hono<AppEnv>({ strict: false })
  .route("/sessions", sessions)
  .route("/llm_endpoints", llmEndpoints)
  .route("/prompt_templates", promptTemplates)
  .route("/bookmarks", bookmarks)
  .route("/runs", runs)
  .get("/context_strategies", allowServices, (c) => c.json([...CONTEXT_STRATEGIES]))
  .get("/connectors", query(schemas.ListConnectors), allowServices, (c) =>
    c.json(c.req.valid("query").include === "fields" ? CONNECTOR_TYPES.map(presentConnector) : [...CONNECTOR_TYPES]),
  );
