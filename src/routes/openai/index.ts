/**
 * `/openai/v1`: OpenAI's API, for its clients. Endpoints and chatbots are its models.
 *
 * In this folder: `chat-completions`, with a conversation in every call; `models` for the list of models, `dialect` and
 * `errors` for problems, `response-schemas` for what is answered.
 */
import { Hono } from "hono/tiny";
import { allowClients } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { body } from "../http/validate.ts";
import { createCompletion } from "./chat-completions/handlers.ts";
import { CreateCompletion } from "./chat-completions/schemas.ts";
import { getModel, listModels } from "./models.ts";

export const openaiV1 = new Hono<AppEnv>({ strict: false })
  .get("/models", allowClients, listModels)
  .get("/models/:id", allowClients, (c) => getModel(c, c.req.param("id")))
  .post("/chat/completions", body(CreateCompletion), allowClients, (c) => createCompletion(c, c.req.valid("json")));
