import { Hono } from "hono";
import { asObjectId, newObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { database } from "../../../store/database.ts";
import { chatbotStore } from "../../../store/chatbots-and-clients.ts";
import { findEndpoint } from "../../../store/endpoints.ts";
import { audit } from "../../http/audit.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import {
  removalSchema,
  itemBody,
  pageBody,
  mutationSchema,
  itemSchema,
  mutationBody,
  pageSchema,
  timeOfChange,
} from "../envelope.ts";
import { createOnce, answerToSave } from "../../http/idempotency.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { body, query } from "../../http/validate.ts";
import { presentChatbot } from "./present.ts";
import * as schemas from "./schemas.ts";

const noChatbot = { reason: "not-found", resource: "chatbot", id: null } as const;
const noEndpoint = (id: string) => ({ reason: "not-found", resource: "endpoint", id }) as const;

/** `/chatbots`: endpoints with a persona. */
export const chatbots = new Hono<AppEnv>({ strict: false })
  .post(
    "/",
    describe({
      id: "createChatbot",
      headers: ["idempotency-key"],
      tag: "Chatbots",
      summary: "Create a chatbot",
      answer: { status: 201, description: "Chatbot created", schema: mutationSchema(schemas.Chatbot) },
      refusals: [404, 409],
      example: { name: "Shop assistant", endpointId: "eliza", greeting: "Hello, how can I help?" },
    }),
    body(schemas.CreateChatbot),
    requireRole("admin", "service"),
    createOnce,
    async (c) => {
      const { description = null, systemPrompt = null, greeting = null, params = null, ...input } = c.req.valid("json");
      const db = database(c.env.DB);
      if (!(await findEndpoint(db, input.endpointId))) return respondWithProblem(c, noEndpoint(input.endpointId));
      const at = now();
      const made = { id: newObjectId(at), createdAt: at, updatedAt: at, deletedAt: null };
      const chatbot = { ...made, ...input, description, systemPrompt, greeting, params };
      const answer = mutationBody(presentChatbot(chatbot), "Chatbot created successfully");
      await chatbotStore.create(db, chatbot, answerToSave(c, answer, 201));
      return c.json(answer, 201);
    },
  )
  .get(
    "/",
    describe({
      id: "listChatbots",
      headers: ["x-d1-bookmark"],
      tag: "Chatbots",
      summary: "List and search chatbots, newest first",
      answer: { status: 200, description: "A page of chatbots", schema: pageSchema(schemas.Chatbot) },
    }),
    query(schemas.ListByName),
    requireRole("admin", "service"),
    async (c) => {
      const { limit, skip, searchString = null } = c.req.valid("query");
      const page = await readFromReplica(c, (db) => chatbotStore.list(db, searchString, { limit, skip }));
      return c.json(pageBody({ ...page, results: page.results.map(presentChatbot) }, { limit, skip }));
    },
  )
  .get(
    "/:id",
    describe({
      id: "getChatbot",
      tag: "Chatbots",
      summary: "Get a chatbot",
      answer: { status: 200, description: "The chatbot", schema: itemSchema(schemas.Chatbot) },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const chatbot = await chatbotStore.find(database(c.env.DB), asObjectId(c.req.param("id")) ?? "");
      return chatbot ? c.json(itemBody(presentChatbot(chatbot))) : respondWithProblem(c, noChatbot);
    },
  )
  .put(
    "/:id",
    describe({
      id: "updateChatbot",
      tag: "Chatbots",
      summary: "Update a chatbot",
      answer: { status: 200, description: "Chatbot updated", schema: mutationSchema(schemas.Chatbot) },
      refusals: [404],
      example: { historyLimit: 20 },
    }),
    body(schemas.UpdateChatbot),
    requireRole("admin", "service"),
    async (c) => {
      const db = database(c.env.DB);
      const chatbot = await chatbotStore.find(db, asObjectId(c.req.param("id")) ?? "");
      if (!chatbot) return respondWithProblem(c, noChatbot);
      const changes = c.req.valid("json");
      if (changes.endpointId && !(await findEndpoint(db, changes.endpointId)))
        return respondWithProblem(c, noEndpoint(changes.endpointId));
      const updated = {
        ...chatbot,
        ...(changes as Partial<typeof chatbot>),
        updatedAt: timeOfChange(chatbot, changes),
      };
      await chatbotStore.update(db, updated);
      return c.json(mutationBody(presentChatbot(updated), "Chatbot updated successfully"));
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteChatbot",
      tag: "Chatbots",
      summary: "Delete a chatbot that no open session uses",
      answer: { status: 200, description: "Chatbot deleted", schema: removalSchema },
      refusals: [404, 409],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const db = database(c.env.DB);
      const id = asObjectId(c.req.param("id")) ?? "";
      if (await chatbotStore.remove(db, id, now())) {
        audit(c, "chatbot-deleted", { chatbotId: id });
        return c.json({ success: true as const, message: "Chatbot deleted successfully" });
      }
      const there = await chatbotStore.find(db, id);
      return respondWithProblem(
        c,
        there ? { reason: "in-use", resource: "chatbot", by: "sessions that have not ended" } : noChatbot,
      );
    },
  );
