/** The routes of `/api/v1/llm-endpoints` as the OpenAPI document describes them. */
import type { Operations } from "../../openapi/operations.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot 0.7";

export const operations: Operations = {
  "GET /": {
    id: "moonshot07ListEndpoints",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List endpoints, by id",
    response: { status: 200, description: "All endpoints", schema: schemas.Endpoints },
  },
  "POST /": {
    id: "moonshot07CreateEndpoint",
    headers: ["idempotency-key"],
    tag,
    summary: "Create an endpoint",
    response: { status: 200, description: "Endpoint created", schema: schemas.Confirmation },
    problems: [403, 409, 503],
    example: {
      name: "OpenAI GPT-4.1 mini",
      connector_type: "openai-connector",
      uri: "https://api.openai.com/v1",
      token: "env:PROVIDER_OPENAI",
      model: "gpt-4.1-mini",
      max_calls_per_second: "10",
      max_concurrency: "1",
      params: { temperature: 0 },
    },
  },
  "GET /name": {
    id: "moonshot07ListEndpointNames",
    tag,
    summary: "List the ids of endpoints",
    response: { status: 200, description: "All ids", schema: schemas.Names },
  },
  "GET /:id": {
    id: "moonshot07GetEndpoint",
    tag,
    summary: "Get an endpoint",
    response: { status: 200, description: "The endpoint", schema: schemas.Endpoint },
    problems: [404],
  },
  "PUT /:id": {
    id: "moonshot07UpdateEndpoint",
    tag,
    summary: "Update fields of an endpoint",
    response: { status: 200, description: "Endpoint updated", schema: schemas.Confirmation },
    problems: [403, 404, 503],
    example: { model: "gpt-4.1-mini" },
  },
  "DELETE /:id": {
    id: "moonshot07DeleteEndpoint",
    tag,
    summary: "Delete an endpoint that no chatbot uses",
    response: { status: 200, description: "Endpoint deleted", schema: schemas.Confirmation },
    problems: [403, 404, 409],
  },
};
