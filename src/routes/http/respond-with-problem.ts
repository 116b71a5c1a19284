/** The dialect of a call: found by its path, and used to answer problems. */
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./context.ts";
import { dialectOf } from "./dialect.ts";
import type { Dialect } from "./dialect.ts";
import type { HttpProblem } from "./problem.ts";

/** Sets the dialect of each call. */
export const setDialect =
  (dialects: readonly Dialect[]): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    c.set("dialect", dialectOf(dialects, c.req.path));
    await next();
  };

/** Answers a problem in the form of the call's dialect. */
export const respondWithProblem = (c: Context, problem: HttpProblem): Response =>
  (c.get("dialect") as Dialect).respondWithProblem(c, problem);
