/** Which run a call is about: once for all routes of `/v1/runs` that name one. Effects: a query to D1. */
import type { MiddlewareHandler } from "hono";
import { database } from "../../../store/database.ts";
import { findRun } from "../../../store/runs.ts";
import type { StoredRun } from "../../../store/runs.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

export const runNotFound = (id: string) => ({ reason: "not-found", resource: "run", id }) as const;

/** Middleware behind which handlers read the run by `c.req.valid("param")`. */
type RunValidator = MiddlewareHandler<AppEnv, string, { in: { param: StoredRun }; out: { param: StoredRun } }>;

/** Finds the run in the path. Place it after the validators of body and query, and after roles. */
export const runParam: RunValidator = async (c, next) => {
  const id = c.req.param("id") ?? "";
  const run = await measure(c, "index", findRun(database(c.env.DB), id));
  if (!run) return respondWithProblem(c, runNotFound(id));
  c.req.addValidatedData("param", run);
  return next();
};
