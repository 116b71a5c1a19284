/**
 * How a call to one of Moonshot's dialects fails.
 *
 * In this folder: what the dialects of Moonshot's two APIs share. Neither may import the other. `llm-endpoints`,
 * `prompt-templates` and `sessions` have what both do with a resource; the form of an answer is each dialect's own.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { describeProblem } from "../http/problem.ts";
import type { InputIssue, HttpProblem } from "../http/problem.ts";
import type { MoonshotFailure, MoonshotInputFailure } from "./response-schemas.ts";

export function respondWithProblem(c: Context, problem: HttpProblem): Response {
  if (problem.reason === "invalid-input") return invalidInput(c, problem.in, problem.issues);
  if (problem.reason === "invalid") {
    const issues = problem.issues.map((issue) => ({ ...issue, code: "value_error" }));
    return invalidInput(c, "body", issues);
  }
  const { httpStatus, message, headers } = describeProblem(problem);
  const body: z.output<typeof MoonshotFailure> = { detail: message };
  return c.json(body, httpStatus, headers);
}

function invalidInput(c: Context, location: "body" | "query" | "path", issues: InputIssue[]): Response {
  const error = issues.map(({ code, path, message, input }) => ({
    type: code,
    loc: [location, ...path],
    msg: message,
    ...(input === undefined ? {} : { input }),
  }));
  const body: z.output<typeof MoonshotInputFailure> = { error };
  return c.json(body, 422);
}
