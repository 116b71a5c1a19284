/**
 * `/openai/v1`: OpenAI's API, for its clients. Endpoints and chatbots are its models.
 *
 * In this folder: `chat-completions` and `responses` are the two ways to ask a model, `models` lists them. `messages` and
 * `model-request` read what is asked, `call-model` asks, `respond-with-reply` answers; `dialect` and `errors` are
 * for problems, `response-schemas` for what is answered.
 */
import { Hono } from "hono/tiny";
import { allowClients } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { body, query } from "../http/validate.ts";
import { createCompletion } from "./chat-completions/handlers.ts";
import { CreateCompletion } from "./chat-completions/schemas.ts";
import { createResponse } from "./responses/handlers.ts";
import { cancelResponse, deleteResponse, getResponse } from "./responses/stored-handlers.ts";
import { CreateResponse, ReadResponse } from "./responses/schemas.ts";
import { getModel, listModels } from "./models.ts";

export const openaiV1 = new Hono<AppEnv>({ strict: false })
  .get("/models", allowClients, listModels)
  .get("/models/:id", allowClients, (c) => getModel(c, c.req.param("id")))
  .post("/chat/completions", body(CreateCompletion), allowClients, (c) => createCompletion(c, c.req.valid("json")))
  .post("/responses", body(CreateResponse), allowClients, (c) => createResponse(c, c.req.valid("json")))
  .get("/responses/:id", query(ReadResponse), allowClients, (c) =>
    getResponse(c, c.req.param("id"), c.req.valid("query")),
  )
  .delete("/responses/:id", allowClients, (c) => deleteResponse(c, c.req.param("id")))
  .post("/responses/:id/cancel", allowClients, (c) => cancelResponse(c, c.req.param("id")));
