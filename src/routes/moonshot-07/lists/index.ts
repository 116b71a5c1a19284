/**
 * The lists of `/api/v1` that say what a session can use, and those of Moonshot's benchmarks, which are empty here. This
 * file lists the routes with their middleware, in the order of the checks.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `context-strategies` says what each strategy does, `schemas` and
 * `response-schemas` have the queries and the answers.
 */
import { Hono } from "hono/tiny";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../../core/prompt-template.ts";
import { promptTemplatePages } from "../../../store/prompt-templates.ts";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { query } from "../../http/validate.ts";
import { deletePromptTemplate } from "../../moonshot-shared/prompt-templates/delete-prompt-template.ts";
import { ATTACK_MODULES, presentAttackModules } from "../attack-modules/modules.ts";
import { CONTEXT_STRATEGY_DETAILS } from "./context-strategies.ts";
import { BENCHMARK_LISTS } from "./benchmark-lists.ts";
import * as schemas from "./schemas.ts";

export const lists = new Hono<AppEnv>({ strict: false })
  .get("/prompt-templates", allowServices, (c) =>
    respondWithList(c, promptTemplatePages, ({ name, description, template }) => ({ name, description, template })),
  )
  .get("/prompt-templates/name", allowServices, (c) => respondWithList(c, promptTemplatePages, ({ name }) => name))
  .delete("/prompt-templates/:name", allowServices, (c) => deletePromptTemplate(c, c.req.param("name")))
  .get("/context-strategies", allowServices, (c) => c.json(CONTEXT_STRATEGY_DETAILS))
  .get("/context-strategies/name", allowServices, (c) => c.json([...CONTEXT_STRATEGIES]))
  .get("/attack-modules", allowServices, (c) => c.json(ATTACK_MODULES))
  .get("/attack-modules/metadata", allowServices, (c) => c.json(presentAttackModules()))
  .get("/connectors", allowServices, (c) => c.json([...CONNECTOR_TYPES]))
  .get("/connectors/name", allowServices, (c) => c.json([...CONNECTOR_TYPES]))
  // Every page of the web UI asks which benchmarks run.
  .get("/benchmarks/status", allowServices, (c) => c.json({}));

for (const path of BENCHMARK_LISTS) lists.get(path, query(schemas.BenchmarkList), allowServices, (c) => c.json([]));
