/**
 * Which names a local start may be called by. Any site can let a name of its own lead to 127.0.0.1, so that a browser
 * lets the site's pages read what Parley answers there, and the admin key of a local start is public. A deployment is
 * called by its own names only: Cloudflare sees to that. No effects.
 */
import type { MiddlewareHandler } from "hono";
import { isAllowedHost, isLocalStart, LOCAL_PROXY_HEADER, LOCAL_SECRETS } from "../../core/local-start.ts";
import type { AppEnv } from "./context.ts";
import { isAllowedOrigin, isOrigin } from "./cors.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/**
 * On a local start, refuses calls to a host that is neither loopback nor in `ALLOWED_HOSTS`, and calls from pages of
 * such a host. `wrangler dev` takes the URL, and the `Host` header with it, from the caller's header `MF-Original-URL`.
 * The proxy of `npm start` removes that header, so there every call must come through it. Without the proxy, the headers
 * decide that a page cannot choose.
 */
export const requireLocalHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!isLocalStart(c.env)) return next();
  const { LOCAL_PROXY_SECRET } = c.env;
  const isPastProxy = LOCAL_PROXY_SECRET !== undefined && c.req.header(LOCAL_PROXY_HEADER) !== LOCAL_PROXY_SECRET;
  if (isPastProxy || !isAllowedHost(new URL(c.req.url).hostname, c.env))
    return respondWithProblem(c, { reason: "host-refused" });
  const origin = c.req.header("origin");
  if (origin !== undefined)
    return isLocalOrigin(origin, c.env) ? next() : respondWithProblem(c, { reason: "origin-refused" });
  const isRebound = LOCAL_PROXY_SECRET === undefined && mayBeReboundPage(c.req.raw.headers, c.env);
  return isRebound ? respondWithProblem(c, { reason: "page-refused" }) : next();
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
