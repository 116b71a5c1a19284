/**
 * What a call answers when something was thrown: 503 for what passes by itself and for a database without its tables,
 * 500 for a bug. Failures that are expected are values, and do not come here. Effects: a line of the log.
 */
import type { Context } from "hono";
import { CallerLeft, rootCause } from "../../core/failure.ts";
import { transientErrorOf } from "../../core/transient-error.ts";
import { LACKS_TABLES, lacksTables } from "../../store/migrations.ts";
import type { AppEnv } from "./context.ts";
import type { HttpProblem } from "./problem.ts";
import { requestIdsOf } from "./request-id.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** The status in the log of calls whose callers have left. No standard has one; this is the one of nginx. */
const CALLER_LEFT = 499;

/** Logs what was thrown, and answers without a word of it. */
export function respondWithError(error: unknown, c: Context<AppEnv>): Response {
  if (error instanceof CallerLeft) return new Response(null, { status: CALLER_LEFT });
  const transient = transientErrorOf(error);
  console.error({
    event: transient ? "platform-unavailable" : "unexpected-error",
    ...requestIdsOf(c),
    path: c.req.path,
    error: rootCause(error),
  });
  return respondWithProblem(c, transient ? { reason: "unavailable", because: transient } : problemOf(error));
}

const problemOf = (error: unknown): HttpProblem =>
  lacksTables(error) ? { reason: "misconfigured", message: LACKS_TABLES } : { reason: "internal" };
