/**
 * `/api/v1/bookmarks`: copies of chat records, by name, in the form of Moonshot 0.7. This file lists the routes with their
 * middleware, in the order of the checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them,
 * `schemas` and `response-schemas` have the schemas of requests and responses.
 */
import { Hono } from "hono/tiny";
import { bookmarkPages } from "../../../store/bookmarks.ts";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { body, query } from "../../http/validate.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

export const bookmarks = new Hono<AppEnv>({ strict: false })
  .get("/", query(schemas.ListBookmarks), allowServices, (c) => handlers.listBookmarks(c, c.req.valid("query").name))
  .post("/", body(schemas.CreateBookmark), allowServices, createOnce, (c) =>
    handlers.createBookmark(c, c.req.valid("json")),
  )
  .delete("/", query(schemas.DeleteBookmarks), allowServices, (c) => handlers.deleteBookmarks(c, c.req.valid("query")))
  .get("/name", allowServices, (c) => respondWithList(c, bookmarkPages, ({ name }) => name))
  .get("/export", query(schemas.ExportBookmarks), allowServices, (c) =>
    handlers.exportBookmarks(c, c.req.valid("query").export_file_name),
  );
