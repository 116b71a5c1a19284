/** The Moonshot API in the OpenAPI document: its tag, its failures, the operations of its resources, and its own two lists. */
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";
import { mountedAt } from "../openapi/operations.ts";
import type { DialectDocs, Operations } from "../openapi/operations.ts";
import { MoonshotFailure, MoonshotInputFailure } from "../moonshot-shared/response-schemas.ts";
import { moonshot } from "./dialect.ts";
import { operations as bookmarks } from "./bookmarks/docs.ts";
import { operations as llmEndpoints } from "./llm-endpoints/docs.ts";
import { operations as promptTemplates } from "./prompt-templates/docs.ts";
import { operations as runs } from "./runs/docs.ts";
import * as schemas from "./response-schemas.ts";
import { operations as sessions } from "./sessions/docs.ts";

const lists: Operations = {
  "GET /context_strategies": {
    id: "listContextStrategies",
    tag: "Moonshot",
    summary: "List context strategies",
    response: {
      status: 200,
      description: "Their names",
      schema: schemas.ContextStrategies,
      example: CONTEXT_STRATEGIES,
    },
  },
  "GET /connectors": {
    id: "listConnectors",
    tag: "Moonshot",
    summary: "List connector types",
    response: {
      status: 200,
      description: "Their names; with `include=fields` also the fields of each",
      schema: schemas.Connectors,
      example: CONNECTOR_TYPES,
    },
  },
};

export const moonshotDocs: DialectDocs = {
  dialect: moonshot,
  tags: { Moonshot: "A session with several endpoints: each prompt goes to all of them" },
  problemSchema: (httpStatus) => (httpStatus === 422 ? MoonshotInputFailure : MoonshotFailure),
  operations: {
    ...mountedAt("/v1/sessions", sessions),
    ...mountedAt("/v1/llm_endpoints", llmEndpoints),
    ...mountedAt("/v1/prompt_templates", promptTemplates),
    ...mountedAt("/v1/bookmarks", bookmarks),
    ...mountedAt("/v1/runs", runs),
    ...mountedAt("/v1", lists),
  },
};
