/**
 * One line of the Worker's log for a sample of the calls: how many there are, of which routes, and how long they take.
 * The sample is drawn here and not by the platform, which would leave out lines of the audit log too. Effects: the log
 * and the clock.
 */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Caller } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import type { AppEnv } from "./context.ts";
import { requestIdsOf } from "./request-id.ts";

/** Logs a share of the calls: `LOG_SAMPLING`, from 0 to 1. None when it is not set or no such number. */
export const logSampledCall: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (Math.random() >= logSamplingOf(c.env)) return next();
  const startedAt = now();
  await next();
  console.info({
    event: "call",
    ...requestIdsOf(c),
    method: c.req.method,
    route: routeOf(c),
    status: c.res.status,
    // Until the answer starts: a stream goes on. The platform's clock stands still while code runs.
    durationMs: now() - startedAt,
    role: (c.get("caller") as Caller | undefined)?.role ?? null,
    sampling: logSamplingOf(c.env),
  });
};

/** The share of calls that are logged. */
function logSamplingOf({ LOG_SAMPLING }: Env): number {
  const share = Number(LOG_SAMPLING || 0);
  return share >= 0 && share <= 1 ? share : 0;
}

/** The route as it is registered, without the ids of the call; `null` when there is none. */
const routeOf = (c: Context<AppEnv>): string | null =>
  matchedRoutes(c).find(({ method }) => method !== "ALL")?.path ?? null;
