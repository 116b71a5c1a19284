/**
 * `/ui/chat`: sessions as the AI SDK's `useChat` reads and writes them, with its default transport.
 * https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 *
 * In this folder: `handlers` has the three routes, `question` reads what is asked, `reply-parts` makes the stream, `present` the
 * messages, `message-ids` the ids of both; `dialect` is for problems, `docs`, `examples` and `response-schemas` for the
 * description.
 */
import { Hono } from "hono/tiny";
import { allowClients, allowEveryRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { body, query } from "../http/validate.ts";
import { getMessages, resumeStream, sendMessage } from "./handlers.ts";
import { ResumeStream, SendMessage } from "./schemas.ts";

export const uiChat = new Hono<AppEnv>({ strict: false })
  .post("/", body(SendMessage), allowClients, (c) => sendMessage(c, c.req.valid("json")))
  .get("/:id", allowEveryRole, (c) => getMessages(c, c.req.param("id")))
  .get("/:id/stream", query(ResumeStream), allowEveryRole, (c) =>
    resumeStream(c, c.req.param("id"), c.req.valid("query")),
  );
