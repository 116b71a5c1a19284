/**
 * `/chatbots`: an endpoint with a persona. This file lists the routes with their middleware, in the order of the checks. In this
 * folder: `docs` describes the routes for OpenAPI, `handlers` answers them, `schemas` says what they take and answer, `present`
 * makes JSON of a chatbot.
 */
import { Hono } from "hono";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body, query } from "../../http/validate.ts";
import { idParam } from "../id-param.ts";
import * as docs from "./docs.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

const chatbot = idParam(handlers.CHATBOT_NOT_FOUND);

export const chatbots = new Hono<AppEnv>({ strict: false })
  .post("/", docs.createChatbot, body(schemas.CreateChatbot), allowServices, createOnce, (c) =>
    handlers.createChatbot(c, c.req.valid("json")),
  )
  .get("/", docs.listChatbots, query(schemas.ListByName), allowServices, (c) =>
    handlers.listChatbots(c, c.req.valid("query")),
  )
  .get("/:id", docs.getChatbot, allowServices, chatbot, (c) => handlers.getChatbot(c, c.req.valid("param").id))
  .put("/:id", docs.updateChatbot, body(schemas.UpdateChatbot), allowServices, chatbot, (c) =>
    handlers.updateChatbot(c, c.req.valid("param").id, c.req.valid("json")),
  )
  .delete("/:id", docs.deleteChatbot, allowServices, chatbot, (c) =>
    handlers.deleteChatbot(c, c.req.valid("param").id),
  );
