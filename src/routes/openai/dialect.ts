/**
 * OpenAI's API as a dialect: how it answers problems. Sessions have their form in events from the dialect that made them.
 * Its routes are in `index.ts`.
 */
import type { Context } from "hono";
import type { Dialect } from "../http/dialect.ts";
import type { HttpProblem } from "../http/problem.ts";
import { errorResponse } from "./errors.ts";

function respondWithProblem(c: Context, problem: HttpProblem): Response {
  const { httpStatus, headers, body } = errorResponse(problem);
  return c.json(body, httpStatus, headers);
}

export const openai: Dialect = {
  prefix: "/openai/v1",
  respondWithProblem,
  invalidInputStatus: 400,
  sessions: null,
};
