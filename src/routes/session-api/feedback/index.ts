/**
 * `/feedback`: what people say of the chatbots' answers. This file lists the routes with their middleware, in the order of
 * the checks. The routes that set and remove feedback are among those of a session.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `rated-message` finds a message and what
 * it answers, `read-feedback` reads feedback for a page of messages, `schemas` has the schemas of requests, `present`
 * converts feedback to JSON.
 */
import { Hono } from "hono/tiny";
import { allowOperators } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { query } from "../../http/validate.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

export const feedback = new Hono<AppEnv>({ strict: false }).get("/", query(schemas.ListFeedback), allowOperators, (c) =>
  handlers.listFeedback(c, c.req.valid("query")),
);
