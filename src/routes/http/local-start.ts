/**
 * Which names a local start may be called by. Any site can let a name of its own lead to 127.0.0.1, so that a browser
 * lets the site's pages read what Parley answers there, and the admin key of a local start is public. A deployment is
 * called by its own names only: Cloudflare sees to that. No effects.
 */
import type { MiddlewareHandler } from "hono";
import { splitCommaList } from "../../core/comma-list.ts";
import { isLocalStart, LOCAL_SECRETS } from "../../core/local-start.ts";
import type { AppEnv } from "./context.ts";
import { isAllowedOrigin, isOrigin } from "./cors.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

const LOOPBACK_HOST = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * On a local start, refuses calls to a host that is neither loopback nor in `ALLOWED_HOSTS`, and calls from pages of
 * such a host. The host alone does not show where a page is from: `wrangler dev` takes the URL, and the `Host` header
 * with it, from the caller's header `MF-Original-URL`. So the headers decide that a page cannot choose.
 */
export const requireLocalHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!isLocalStart(c.env)) return next();
  if (!isAllowedHost(new URL(c.req.url).hostname, c.env)) return respondWithProblem(c, { reason: "host-refused" });
  const origin = c.req.header("origin");
  if (origin === undefined)
    return mayBeReboundPage(c.req.raw.headers, c.env) ? respondWithProblem(c, { reason: "page-refused" }) : next();
  return isLocalOrigin(origin, c.env) ? next() : respondWithProblem(c, { reason: "origin-refused" });
};

/**
 * Whether a call without an `Origin` may be by a page whose name was led to this machine. Browsers send
 * `Sec-Fetch-Mode` to loopback and not to another name over http, and no page can add it. A page could hide, where its
 * browser lets it set both, `Accept-Language` and `User-Agent`. It matters with the public key only: a page does not
 * know any other. `Accept-Language: *` is what programs send, such as Deno's `fetch`, and no browser by itself.
 * https://www.w3.org/TR/fetch-metadata/#framework, https://fetch.spec.whatwg.org/#forbidden-request-header
 */
function mayBeReboundPage(headers: Headers, { ADMIN_KEY }: Env): boolean {
  const hasLanguages = (headers.get("accept-language") ?? "*") !== "*";
  const isBrowser = hasLanguages || headers.get("user-agent")?.startsWith("Mozilla/") === true;
  return isBrowser && !headers.has("sec-fetch-mode") && ADMIN_KEY === LOCAL_SECRETS.ADMIN_KEY;
}

const isLocalOrigin = (origin: string, env: Env): boolean =>
  isAllowedOrigin(origin, env) || (isOrigin(origin) && isAllowedHost(new URL(origin).hostname, env));

function isAllowedHost(host: string, { ALLOWED_HOSTS }: Env): boolean {
  const allowed = splitCommaList(ALLOWED_HOSTS);
  return LOOPBACK_HOST.test(host) || allowed.includes(host) || allowed.includes("*");
}
