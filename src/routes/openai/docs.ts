/** OpenAI's API in the OpenAPI document: its tag, its failures and its operations. */
import { mountedAt } from "../openapi/operations.ts";
import type { DialectDocs, Operations } from "../openapi/operations.ts";
import { openai } from "./dialect.ts";
import * as schemas from "./response-schemas.ts";
import * as examples from "./examples.ts";

const tag = "OpenAI";

const operations: Operations = {
  "GET /models": {
    id: "listModels",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List endpoints and chatbots as models",
    response: {
      status: 200,
      description: "All of them; for a client, the chatbots. A long list is sent while it is read",
      schema: schemas.Models,
      example: { object: "list", data: [examples.model] },
    },
  },
  "GET /models/:id": {
    id: "getModel",
    tag,
    summary: "Get a model",
    response: { status: 200, description: "The model", schema: schemas.Model, example: examples.model },
    problems: [404],
  },
  "POST /chat/completions": {
    id: "createChatCompletion",
    tag,
    summary: "Create a chat completion",
    description:
      "Without `x-parley-session` and `store: true` nothing is kept. In a session, `messages` is the whole conversation: what the session has is recognised, the rest is new. Fields that are not described here go to the provider as they are; with a chatbot, a token of role `client` cannot send any. With `stream: true` the answer is a stream of chunks, which ends with `[DONE]`, or with an event `error`.",
    headers: ["x-parley-session", "idempotency-key"],
    response: {
      status: 200,
      description: "The completion. The header `x-parley-body-sha256` has the hash of what was sent to the provider",
      schema: schemas.ChatCompletion,
      example: examples.completion,
      texts: { "text/event-stream": examples.completionStream },
    },
    problems: [404, 409, 502, 504],
    example: { model: "echo", messages: [{ role: "user", content: "Hello" }] },
  },
  "POST /responses": {
    id: "createResponse",
    tag,
    summary: "Create a response",
    headers: ["idempotency-key"],
    description:
      "With `store: false` nothing is kept. Otherwise it is a turn of a session: of a new one with the model, of `conversation`, or of that of `previous_response_id`. With `stream: true` the answer is a stream of events, numbered from 0 in `sequence_number`, which ends with `response.completed`, `response.incomplete` or `response.failed`.",
    response: {
      status: 200,
      description: "The response. The header `x-parley-body-sha256` has the hash of what was sent to the provider",
      schema: schemas.OpenaiResponse,
      example: examples.response,
      texts: { "text/event-stream": examples.responseStream },
    },
    problems: [404, 409, 502, 504],
    example: { model: "echo", input: "Hello", store: false },
  },
  "GET /responses/:id": {
    id: "getResponse",
    tag,
    summary: "Get a stored response, or resume its stream",
    description:
      "It repeats the fields of the call, as the first answer does. With `stream=true` the answer is the stream of its events, those after `starting_after`, with the numbers that they had at first.",
    response: {
      status: 200,
      description: "The response: `in_progress` while its turn waits or runs",
      schema: schemas.OpenaiResponse,
      example: examples.response,
      texts: { "text/event-stream": examples.responseStream },
    },
    problems: [404],
  },
  "DELETE /responses/:id": {
    id: "deleteResponse",
    tag,
    summary: "Delete a stored response",
    description: "Its id is gone. The turn stays in its session, and goes on if it runs.",
    response: {
      status: 200,
      description: "The response is deleted",
      schema: schemas.DeletedResponse,
      example: { id: examples.response.id, object: "response", deleted: true },
    },
    problems: [404, 409],
  },
  "POST /responses/:id/cancel": {
    id: "cancelResponse",
    tag,
    summary: "Stop a response",
    response: {
      status: 200,
      description: "The response, with the text so far. One that has ended stays as it is",
      schema: schemas.OpenaiResponse,
      example: examples.response,
    },
    problems: [404],
  },
};

export const openaiDocs: DialectDocs = {
  dialect: openai,
  tags: { OpenAI: "OpenAI's API, for its clients: endpoints and chatbots as models" },
  problemSchema: () => schemas.OpenaiFailure,
  operations: mountedAt("/openai/v1", operations),
};
