/** The lists of `/v1` that Parley itself defines, as the OpenAPI document describes them. */
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";
import { describe } from "../openapi/describe.ts";
import * as schemas from "./schemas.ts";

export const listContextStrategies = describe({
  id: "listContextStrategies",
  tag: "Moonshot",
  summary: "List context strategies",
  response: { status: 200, description: "Their names", schema: schemas.ContextStrategies, example: CONTEXT_STRATEGIES },
});

export const listConnectors = describe({
  id: "listConnectors",
  tag: "Moonshot",
  summary: "List connector types",
  response: {
    status: 200,
    description: "Their names; with `include=fields` also the fields of each",
    schema: schemas.Connectors,
    example: CONNECTOR_TYPES,
  },
});
