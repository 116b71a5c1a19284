/**
 * `/v1/runs`: data sets that are put to endpoints. This file lists the routes with their middleware, in the order of the
 * checks.
 *
 * In this folder: `docs` describes the routes for OpenAPI, `create-run` makes a run and `read-items` reads its items,
 * `handlers` has the other routes, `export-formats` the files, the `schemas` files have the schemas of requests and responses.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { query } from "../../http/validate.ts";
import { createRun, runBody } from "./create-run.ts";
import * as handlers from "./handlers.ts";
import { runParam } from "./run-param.ts";
import * as schemas from "./schemas.ts";

export const runs = new Hono<AppEnv>({ strict: false })
  .get("/", query(schemas.ListRuns), allowServices, (c) => handlers.listRuns(c, c.req.valid("query")))
  .post("/", runBody, query(schemas.CreateRunQuery), allowServices, (c) => createRun(c, c.req.valid("query")))
  .get("/:id", allowServices, runParam, (c) => handlers.getRun(c, c.req.valid("param")))
  .delete("/:id", allowServices, runParam, (c) => handlers.deleteRun(c, c.req.valid("param")))
  .get("/:id/events", allowServices, runParam, (c) => handlers.followRun(c, c.req.valid("param")))
  .post("/:id/pause", allowServices, runParam, (c) => handlers.changeStatus(c, c.req.valid("param"), "paused"))
  .post("/:id/resume", allowServices, runParam, (c) => handlers.changeStatus(c, c.req.valid("param"), "running"))
  .post("/:id/cancel", allowServices, runParam, (c) => handlers.changeStatus(c, c.req.valid("param"), "cancelled"))
  .post("/:id/retry_errors", allowServices, runParam, (c) => handlers.retryErrors(c, c.req.valid("param")))
  .get("/:id/export", query(schemas.ExportRun), allowServices, runParam, (c) =>
    handlers.exportRun(c, c.req.valid("param"), c.req.valid("query")),
  )
  .get("/:id/results", query(schemas.ListResults), allowServices, runParam, (c) =>
    handlers.listResults(c, c.req.valid("param"), c.req.valid("query")),
  );
