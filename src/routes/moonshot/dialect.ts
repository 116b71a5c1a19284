import type { Context } from "hono";
import * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { InputIssue, HttpProblem } from "../http/problem.ts";
import { presentSession } from "./present.ts";

/** How the Moonshot API says no. */
export const MoonshotFailure = z
  .object({ detail: z.string() })
  .meta({ id: "MoonshotFailure", description: "How the Moonshot API says no" });

/** How the Moonshot API says that a body or a query does not fit. */
export const MoonshotInputFailure = z
  .object({
    error: z.array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.number()])),
        msg: z.string(),
        input: z.unknown().optional(),
      }),
    ),
  })
  .meta({ id: "MoonshotInputFailure", description: "How the Moonshot API says that a body or a query does not fit" });

function respondWithProblem(c: Context, refusal: HttpProblem): Response {
  if (refusal.reason === "invalid-input") return misfit(c, refusal.in, refusal.issues);
  if (refusal.reason === "invalid") {
    return misfit(
      c,
      "body",
      refusal.issues.map((fault) => ({ ...fault, code: "value_error" })),
    );
  }
  const { httpStatus, message, headers } = describeProblem(refusal);
  const body: z.output<typeof MoonshotFailure> = { detail: message };
  return c.json(body, httpStatus, headers);
}

function misfit(c: Context, where: "body" | "query", faults: InputIssue[]): Response {
  const error = faults.map(({ code, path, message, input }) => ({
    type: code,
    loc: [where, ...path],
    msg: message,
    ...(input === undefined ? {} : { input }),
  }));
  const body: z.output<typeof MoonshotInputFailure> = { error };
  return c.json(body, 422);
}

/** The Moonshot API. */
export const moonshot: Dialect = {
  prefix: "/v1",
  respondWithProblem,
  problemSchema: (httpStatus) => (httpStatus === 422 ? MoonshotInputFailure : MoonshotFailure),
  invalidInputStatus: 422,
  sessions: { kind: "comparison", present: (session, zone) => presentSession(session, zone, null) },
};
