/**
 * The routes of `/chatbots` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import { describe } from "../../openapi/describe.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope.ts";
import * as schemas from "./schemas.ts";

const tag = "Chatbots";

export const createChatbot = describe({
  id: "createChatbot",
  headers: ["idempotency-key"],
  tag,
  summary: "Create a chatbot",
  response: { status: 201, description: "Chatbot created", schema: mutationSchema(schemas.Chatbot) },
  problems: [404, 409],
  example: { name: "Shop assistant", endpointId: "eliza", greeting: "Hello, how can I help?" },
});

export const listChatbots = describe({
  id: "listChatbots",
  headers: ["x-d1-bookmark"],
  tag,
  summary: "List and search chatbots, newest first",
  response: { status: 200, description: "A page of chatbots", schema: pageSchema(schemas.Chatbot) },
});

export const getChatbot = describe({
  id: "getChatbot",
  tag,
  summary: "Get a chatbot",
  response: { status: 200, description: "The chatbot", schema: itemSchema(schemas.Chatbot) },
  problems: [404],
});

export const updateChatbot = describe({
  id: "updateChatbot",
  tag,
  summary: "Update a chatbot",
  response: { status: 200, description: "Chatbot updated", schema: mutationSchema(schemas.Chatbot) },
  problems: [404],
  example: { historyLimit: 20 },
});

export const deleteChatbot = describe({
  id: "deleteChatbot",
  tag,
  summary: "Delete a chatbot that no open session uses",
  response: { status: 200, description: "Chatbot deleted", schema: removalSchema },
  problems: [404, 409],
});
