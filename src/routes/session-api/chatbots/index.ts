/**
 * `/chatbots`: an endpoint with a persona. This file lists the routes with their middleware, in the order of the
 * checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has the schemas
 * of requests and responses, `present` converts the chatbot to JSON.
 */
import { Hono } from "hono/tiny";
import { allowOperators, allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body, query } from "../../http/validate.ts";
import { idParam } from "../id-param.ts";
import { getStatistics } from "../statistics/handlers.ts";
import { StatisticsQuery } from "../statistics/schemas.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

const chatbotId = idParam(handlers.CHATBOT_NOT_FOUND);

export const chatbots = new Hono<AppEnv>({ strict: false })
  .post("/", body(schemas.CreateChatbot), allowServices, createOnce, (c) =>
    handlers.createChatbot(c, c.req.valid("json")),
  )
  .get("/", query(schemas.ListByName), allowOperators, (c) => handlers.listChatbots(c, c.req.valid("query")))
  .get("/:id", allowOperators, chatbotId, (c) => handlers.getChatbot(c, c.req.valid("param").id))
  .get("/:id/stats", query(StatisticsQuery), allowOperators, chatbotId, (c) =>
    getStatistics(c, "chatbot", c.req.valid("param").id, c.req.valid("query")),
  )
  .put("/:id", body(schemas.UpdateChatbot), allowServices, chatbotId, (c) =>
    handlers.updateChatbot(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .delete("/:id", allowServices, chatbotId, (c) => handlers.deleteChatbot(c, c.req.valid("param").id));
