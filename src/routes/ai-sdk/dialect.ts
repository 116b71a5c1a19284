/**
 * The AI SDK's chats as a dialect: how it answers problems. `useChat` shows the whole body as the message of its error. Its
 * routes are in `index.ts`.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Dialect } from "../http/dialect.ts";
import { describeProblem } from "../http/problem.ts";
import type { HttpProblem } from "../http/problem.ts";
import type { UiFailure } from "./response-schemas.ts";

function respondWithProblem(c: Context, problem: HttpProblem): Response {
  const { httpStatus, code, message, headers } = describeProblem(problem);
  const requestId: string = c.get("requestId");
  const issues = "issues" in problem ? problem.issues : [];
  const details = issues.map(({ path, message: text }) => ({ path: path.join("."), message: text }));
  const body: z.output<typeof UiFailure> = {
    error: { code, message, ...(details.length > 0 ? { details } : {}), requestId },
  };
  return c.json(body, httpStatus, headers);
}

export const aiSdk: Dialect = {
  prefix: "/ui",
  respondWithProblem,
  invalidInputStatus: 400,
  sessions: null,
};
