/**
 * The routes of `/v1/llm_endpoints` as the OpenAPI document describes them: summaries, answers, problems, examples.
 * Bodies and queries are not described here: the validators in `index.ts` document their own schemas.
 */
import type { Operations } from "../../openapi/operations.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot";

export const operations: Operations = {
  "GET /": {
    id: "listEndpoints",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List endpoints, by id",
    response: {
      status: 200,
      description: "All endpoints. A long list is sent while it is read",
      schema: schemas.Endpoints,
    },
  },
  "POST /": {
    id: "createEndpoint",
    headers: ["idempotency-key"],
    tag,
    summary: "Create an endpoint",
    response: { status: 200, description: "Endpoint created", schema: schemas.CreatedEndpoint },
    problems: [403, 409, 503],
    example: {
      name: "OpenAI GPT-4.1 mini",
      connector_type: "openai-connector",
      uri: "https://api.openai.com/v1",
      token: "env:PROVIDER_OPENAI",
      model: "gpt-4.1-mini",
      params: { temperature: 0 },
      prices: { input_per_million: 0.4, output_per_million: 1.6 },
    },
  },
  "GET /:id": {
    id: "getEndpoint",
    tag,
    summary: "Get an endpoint",
    response: { status: 200, description: "The endpoint", schema: schemas.Endpoint },
    problems: [404],
  },
  "POST /:id/test": {
    id: "testEndpoint",
    tag,
    summary: "Ask an endpoint once with a short prompt",
    response: {
      status: 200,
      description: "What came of the call: a reply, or a failure with `ok: false`",
      schema: schemas.EndpointTest,
    },
    problems: [403, 404],
  },
  "PUT /:id": {
    id: "updateEndpoint",
    tag,
    summary: "Update fields of an endpoint",
    response: { status: 200, description: "Endpoint updated", schema: schemas.Confirmation },
    problems: [403, 404, 503],
    example: { model: "gpt-4.1-mini" },
  },
  "DELETE /:id": {
    id: "deleteEndpoint",
    tag,
    summary: "Delete an endpoint that no chatbot uses",
    response: { status: 200, description: "Endpoint deleted", schema: schemas.Confirmation },
    problems: [403, 404, 409],
  },
};
