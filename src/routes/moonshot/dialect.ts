/**
 * The Moonshot API as a dialect: how it answers problems, and how it shows a session to subscribers. Its routes are in
 * `index.ts`.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { InputIssue, HttpProblem } from "../http/problem.ts";
import type { MoonshotFailure, MoonshotInputFailure } from "./response-schemas.ts";
import { presentSession } from "./sessions/present.ts";

function respondWithProblem(c: Context, problem: HttpProblem): Response {
  if (problem.reason === "invalid-input") return invalidInput(c, problem.in, problem.issues);
  if (problem.reason === "invalid") {
    const issues = problem.issues.map((issue) => ({ ...issue, code: "value_error" }));
    return invalidInput(c, "body", issues);
  }
  const { httpStatus, message, headers } = describeProblem(problem);
  const body: z.output<typeof MoonshotFailure> = { detail: message };
  return c.json(body, httpStatus, headers);
}

function invalidInput(c: Context, location: "body" | "query", issues: InputIssue[]): Response {
  const error = issues.map(({ code, path, message, input }) => ({
    type: code,
    loc: [location, ...path],
    msg: message,
    ...(input === undefined ? {} : { input }),
  }));
  const body: z.output<typeof MoonshotInputFailure> = { error };
  return c.json(body, 422);
}

export const moonshot: Dialect = {
  prefix: "/v1",
  respondWithProblem,
  invalidInputStatus: 422,
  sessions: { kind: "comparison", present: (session, zone) => presentSession(session, zone, null) },
};
