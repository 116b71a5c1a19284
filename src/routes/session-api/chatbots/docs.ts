/**
 * The routes of `/chatbots` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope-schemas.ts";
import { statisticsOperation } from "../statistics/docs.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Chatbots";

export const operations: Operations = {
  "POST /": {
    id: "createChatbot",
    headers: ["idempotency-key"],
    tag,
    summary: "Create a chatbot",
    response: { status: 201, description: "Chatbot created", schema: mutationSchema(schemas.Chatbot) },
    problems: [404, 409],
    example: { name: "Shop assistant", endpointId: "eliza", greeting: "Hello, how can I help?" },
  },
  "GET /": {
    id: "listChatbots",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List and search chatbots, newest first",
    response: { status: 200, description: "A page of chatbots", schema: pageSchema(schemas.Chatbot) },
  },
  "GET /:id": {
    id: "getChatbot",
    tag,
    summary: "Get a chatbot",
    response: { status: 200, description: "The chatbot", schema: itemSchema(schemas.Chatbot) },
    problems: [404],
  },
  ...statisticsOperation("chatbot", tag),
  "PUT /:id": {
    id: "updateChatbot",
    tag,
    summary: "Update a chatbot",
    response: { status: 200, description: "Chatbot updated", schema: mutationSchema(schemas.Chatbot) },
    problems: [404],
    example: { historyLimit: 20 },
  },
  "DELETE /:id": {
    id: "deleteChatbot",
    tag,
    summary: "Delete a chatbot that no open session uses",
    response: { status: 200, description: "Chatbot deleted", schema: removalSchema },
    problems: [404, 409],
  },
};
