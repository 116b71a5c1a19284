/** The lists of `/api/v1` as the OpenAPI document describes them. */
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { Success } from "../../moonshot-shared/response-schemas.ts";
import type { Operation, Operations } from "../../openapi/operations.ts";
import { BENCHMARK_LISTS } from "./benchmark-lists.ts";
import { presentAttackModules } from "../attack-modules/modules.ts";
import { CONTEXT_STRATEGY_DETAILS } from "./context-strategies.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot 0.7";

const list = (id: string, summary: string, schema: Operation["response"]["schema"], example?: unknown): Operation => ({
  id,
  tag,
  summary,
  response: { status: 200, description: "All of them", ...(schema ? { schema } : {}), example },
});

const benchmarkList = (path: string): Operation =>
  list(
    `moonshot07List${path.replace(/\/(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    `Moonshot's list of ${path.slice(1).replace("/", " ")}: empty, because Parley has no benchmarks`,
    schemas.Nothing,
    [],
  );

export const operations: Operations = {
  "GET /prompt-templates": list(
    "moonshot07ListPromptTemplates",
    "List prompt templates, by name",
    schemas.PromptTemplates,
  ),
  "GET /prompt-templates/name": list("moonshot07ListPromptTemplateNames", "List the names of templates", schemas.Names),
  "DELETE /prompt-templates/:name": {
    id: "moonshot07DeletePromptTemplate",
    tag,
    summary: "Delete a prompt template that no active session uses",
    response: { status: 200, description: "Template deleted", schema: Success },
    problems: [404, 409],
  },
  "GET /context-strategies": list(
    "moonshot07ListContextStrategies",
    "List context strategies",
    schemas.ContextStrategies,
    CONTEXT_STRATEGY_DETAILS,
  ),
  "GET /context-strategies/name": list("moonshot07ListContextStrategyNames", "List their names", schemas.Names),
  "GET /attack-modules": list("moonshot07ListAttackModules", "List the ids of attack modules", schemas.Names),
  "GET /attack-modules/metadata": list(
    "moonshot07ListAttackModuleMetadata",
    "List attack modules",
    schemas.AttackModules,
    presentAttackModules(),
  ),
  "GET /connectors": list("moonshot07ListConnectors", "List connector types", schemas.Connectors, CONNECTOR_TYPES),
  "GET /connectors/name": list("moonshot07ListConnectorNames", "List connector types", schemas.Connectors),
  "GET /benchmarks/status": list(
    "moonshot07GetBenchmarksStatus",
    "Benchmarks that run, by id: none, because Parley has no benchmarks",
    schemas.NoStatus,
    {},
  ),
  ...Object.fromEntries(BENCHMARK_LISTS.map((path) => [`GET ${path}`, benchmarkList(path)])),
};
