import type { Context } from "hono";
import type { Dialect } from "./dialect.ts";
import type { HttpProblem } from "./problem.ts";

/** Answers a problem in the form of the call's dialect. */
export const respondWithProblem = (c: Context, refusal: HttpProblem): Response =>
  (c.get("dialect") as Dialect).respondWithProblem(c, refusal);
