/** Middleware for all of `/v1` and `/api/v1`. */
import type { MiddlewareHandler } from "hono";
import { isLocalStart } from "../../core/local-start.ts";
import { isZone } from "../../core/time.ts";
import type { AppEnv } from "../http/context.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";

/**
 * Keeps proxies from compressing: Moonshot's web UI cannot read a compressed answer. The local runtime compresses in
 * spite of `no-transform`, unless the answer names its encoding. On Cloudflare `no-transform` is enough, and `identity`
 * should not be named. https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
 */
export const noTransform: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const given = c.res.headers.get("cache-control") ?? "";
  if (!given.includes("no-transform"))
    c.header("cache-control", given === "" ? "no-transform" : `${given}, no-transform`);
  if (isLocalStart(c.env) && c.res.status !== 101) c.header("content-encoding", "identity");
};

/** Answers 503 when `TIME_ZONE` is invalid: Moonshot's times are local times of that zone. */
export const requireTimeZone: MiddlewareHandler<AppEnv> = async (c, next) =>
  isZone(c.env.TIME_ZONE)
    ? next()
    : respondWithProblem(c, { reason: "misconfigured", message: "TIME_ZONE is not an IANA time zone" });
