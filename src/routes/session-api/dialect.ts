/**
 * The Session API as a dialect: how it answers problems, and how it shows a session to subscribers.
 *
 * In this folder: the resources `sessions`, `chatbots`, `clients`, `keys` and `me`, each with its routes in
 * `index.ts`;
 * `envelope` for what their answers have in common; `id-param` for the ids in their paths.
 */
import type { Context } from "hono";
import * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { HttpProblem } from "../http/problem.ts";
import { presentSession } from "./sessions/present.ts";

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
  .meta({ id: "Failure", description: "A failed call to the Session API" });

function respondWithProblem(c: Context, problem: HttpProblem): Response {
  const { httpStatus, code, message, headers } = describeProblem(problem);
  const details =
    "issues" in problem
      ? problem.issues.map(({ path, message: text }) => ({ path: path.join("."), message: text }))
      : undefined;
  const requestId: string = c.get("requestId");
  const body: z.output<typeof SessionApiFailure> = {
    success: false,
    message,
    error: { code, ...(details ? { details } : {}), requestId },
  };
  return c.json(body, httpStatus, headers);
}

/** Its prefix is empty: it also answers for paths of no dialect. */
export const sessionApi: Dialect = {
  prefix: "",
  respondWithProblem,
  problemSchema: () => SessionApiFailure,
  invalidInputStatus: 400,
  tags: {
    Sessions: "Chat sessions between chatbots and clients",
    Chatbots: "Endpoints with a persona",
    Clients: "The people who talk to chatbots",
    Keys: "API keys, and who a token belongs to",
  },
  sessions: {
    kind: "chatbot",
    present: (session) => {
      const { messages: _, ...fields } = presentSession(session, []);
      return fields;
    },
  },
};
