/**
 * `/v1/bookmarks`: copies of chat records, by name. This file lists the routes with their middleware, in the order of the
 * checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` and
 * `response-schemas` have the schemas of requests and responses.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body } from "../../http/validate.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

export const bookmarks = new Hono<AppEnv>({ strict: false })
  .get("/", allowServices, handlers.listBookmarks)
  .post("/", body(schemas.CreateBookmark), allowServices, createOnce, (c) =>
    handlers.createBookmark(c, c.req.valid("json")),
  )
  .get("/:name", allowServices, (c) => handlers.getBookmark(c, c.req.param("name")))
  .delete("/:name", allowServices, (c) => handlers.deleteBookmark(c, c.req.param("name")));
