import type { Context } from "hono";
import * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { HttpProblem } from "../http/problem.ts";
import { presentSession } from "./sessions/present.ts";

/** How the Session API says no. */
export const SessionApiFailure = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.object({
      code: z.string(),
      details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
      requestId: z.string(),
    }),
  })
  .meta({ id: "Failure", description: "How the Session API says no" });

function respondWithProblem(c: Context, refusal: HttpProblem): Response {
  const { httpStatus, code, message, headers } = describeProblem(refusal);
  const details =
    "issues" in refusal
      ? refusal.issues.map((fault) => ({ path: fault.path.join("."), message: fault.message }))
      : undefined;
  const requestId: string = c.get("requestId");
  const body: z.output<typeof SessionApiFailure> = {
    success: false,
    message,
    error: { code, ...(details ? { details } : {}), requestId },
  };
  return c.json(body, httpStatus, headers);
}

/** The Session API. It answers for all paths that are no other dialect's. */
export const sessionApi: Dialect = {
  prefix: "",
  respondWithProblem,
  problemSchema: () => SessionApiFailure,
  invalidInputStatus: 400,
  sessions: {
    kind: "chatbot",
    present: (session) => {
      const { messages: _, ...shown } = presentSession(session, []);
      return shown;
    },
  },
};
