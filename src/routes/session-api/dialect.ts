/**
 * The Session API as a dialect: how it answers problems, and how it shows a session to subscribers.
 *
 * In this folder: the resources `sessions`, `chatbots`, `clients`, `keys` and `me`, each with its routes in
 * `index.ts`;
 * `envelope` for what their answers have in common; `id-param` for the ids in their paths.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { HttpProblem } from "../http/problem.ts";
import type { Detail, SessionApiFailure } from "./envelope-schemas.ts";
import { presentSession } from "./sessions/present.ts";

function respondWithProblem(c: Context, problem: HttpProblem): Response {
  const { httpStatus, code, message, headers } = describeProblem(problem);
  const details = detailsOf(problem, message);
  const requestId: string = c.get("requestId");
  const body: z.output<typeof SessionApiFailure> = {
    success: false,
    message,
    error: {
      code,
      ...(details ? { details } : {}),
      ...(problem.reason === "session-moved-on" ? { lastSeq: problem.lastSeq } : {}),
      requestId,
    },
  };
  return c.json(body, httpStatus, headers);
}

function detailsOf(problem: HttpProblem, message: string): z.output<typeof Detail>[] | undefined {
  if ("issues" in problem)
    return problem.issues.map(({ path, message: text }) => ({ path: path.join("."), message: text }));
  return problem.reason === "already-exists" && problem.id !== undefined
    ? [{ path: problem.field, message, id: problem.id }]
    : undefined;
}

/** Its prefix is empty: it also answers for paths of no dialect. */
export const sessionApi: Dialect = {
  prefix: "",
  respondWithProblem,
  invalidInputStatus: 400,
  sessions: {
    kind: "chatbot",
    present: (session) => {
      const { messages: _, ...fields } = presentSession(session, [], null);
      return fields;
    },
  },
};
