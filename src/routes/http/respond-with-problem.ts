import type { Context } from "hono";
import type { Dialect } from "./dialect.ts";
import type { Refusal } from "./problem.ts";

/** Answers a problem in the form of the call's dialect. */
export const refuse = (c: Context, refusal: Refusal): Response =>
  (c.get("dialect") as Dialect).respondWithProblem(c, refusal);
