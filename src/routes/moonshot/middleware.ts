/** Middleware for all of `/v1`. */
import type { MiddlewareHandler } from "hono";
import { isZone } from "../../core/time.ts";
import type { AppEnv } from "../http/context.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";

/** Keeps proxies from compressing: Moonshot's web UI cannot read a compressed answer. */
export const noTransform: MiddlewareHandler = async (c, next) => {
  await next();
  const given = c.res.headers.get("cache-control") ?? "";
  if (!given.includes("no-transform"))
    c.header("cache-control", given === "" ? "no-transform" : `${given}, no-transform`);
};

/** Answers 503 when `TIME_ZONE` is invalid: Moonshot's times are local times of that zone. */
export const requireTimeZone: MiddlewareHandler<AppEnv> = async (c, next) =>
  isZone(c.env.TIME_ZONE)
    ? next()
    : respondWithProblem(c, { reason: "misconfigured", message: "TIME_ZONE is not an IANA time zone" });
