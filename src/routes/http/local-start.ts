/**
 * Which names a local start may be called by. Any site can let a name of its own lead to 127.0.0.1, so that a browser
 * lets the site's pages read what Parley answers there, and the admin key of a local start is public. A deployment is
 * called by its own names only: Cloudflare sees to that. No effects.
 */
import type { MiddlewareHandler } from "hono";
import { isLocalStart } from "../../core/local-start.ts";
import type { AppEnv } from "./context.ts";
import { isAllowedOrigin } from "./cors.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

const LOOPBACK_HOST = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * On a local start, refuses calls to a host that is neither loopback nor in `ALLOWED_HOSTS`, and calls from pages of
 * such a host. The host alone does not show where a page is from: `wrangler dev` takes the URL, and the `Host` header
 * with it, from the caller's header `MF-Original-URL`. A page cannot choose its `Origin`.
 */
export const requireLocalHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!isLocalStart(c.env)) return next();
  if (!isAllowedHost(new URL(c.req.url).hostname, c.env)) return respondWithProblem(c, { reason: "host-refused" });
  const origin = c.req.header("origin");
  return origin === undefined || isLocalOrigin(origin, c.env)
    ? next()
    : respondWithProblem(c, { reason: "origin-refused" });
};

const isLocalOrigin = (origin: string, env: Env): boolean =>
  isAllowedOrigin(origin, env) || (URL.canParse(origin) && isAllowedHost(new URL(origin).hostname, env));

function isAllowedHost(host: string, { ALLOWED_HOSTS = "" }: Env): boolean {
  const allowed = ALLOWED_HOSTS.split(",").map((entry) => entry.trim());
  return LOOPBACK_HOST.test(host) || allowed.includes(host) || allowed.includes("*");
}
