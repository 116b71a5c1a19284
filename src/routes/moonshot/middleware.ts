import type { MiddlewareHandler } from "hono";
import { isZone } from "../../core/time.ts";
import type { AppEnv } from "../http/context.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";

/** Keeps proxies from compressing: Moonshot's web UI cannot take a compressed answer. */
export const noTransform: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-transform");
};

/** Tells the operator, and not just a log, that Moonshot's times cannot be written. */
export const requireTimeZone: MiddlewareHandler<AppEnv> = async (c, next) =>
  isZone(c.env.TIME_ZONE)
    ? next()
    : respondWithProblem(c, {
        reason: "misconfigured",
        message: "TIME_ZONE is set to something that is no IANA time zone",
      });
