/**
 * Which pages of a browser may call: CORS for the origins in `ALLOWED_ORIGINS`, and the two cases that CORS does not
 * cover, writes without a token and WebSockets. Who the caller is does not belong here.
 */
import { cors } from "hono/cors";
import type { Context, MiddlewareHandler } from "hono";
import { isAnonymous } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import { splitCommaList } from "../../core/comma-list.ts";
import type { AppEnv } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** Headers that a page's script may send, besides those that every page may. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "prefer",
  "x-d1-bookmark",
  "x-parley-session",
  // OpenAI's client in a browser describes itself with each call.
  ...["arch", "lang", "os", "package-version", "retry-count", "runtime", "runtime-version", "timeout"].map(
    (name) => `x-stainless-${name}`,
  ),
];

/** Headers of an answer that a page's script may read. */
const RESPONSE_HEADERS = [
  "content-disposition",
  "idempotency-replayed",
  "link",
  "preference-applied",
  "retry-after",
  "server-timing",
  "www-authenticate",
  "x-d1-bookmark",
  "x-parley-body-sha256",
  "x-parley-session",
  "x-parley-truncated",
  "x-request-id",
  "x-should-retry",
];

/** How long a browser may cache the answer to a preflight request, in seconds. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** Whether `ALLOWED_ORIGINS` contains an origin. An entry that is not an origin, such as `*`, allows nothing. */
export const isAllowedOrigin = (origin: string, env: Env): boolean =>
  splitCommaList(env.ALLOWED_ORIGINS).includes(origin) && isOrigin(origin);

export const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const applyCors = cors({
  origin: (origin) => origin,
  allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
  allowHeaders: REQUEST_HEADERS,
  exposeHeaders: RESPONSE_HEADERS,
  maxAge: PREFLIGHT_MAX_AGE_SECONDS,
});

/**
 * Lets pages of the allowed origins call and read the answers, problems too. The API uses no cookies, so it does not
 * allow credentials. https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const allowOrigins: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  const isAllowed = origin !== undefined && isAllowedOrigin(origin, c.env);
  if (c.req.method !== "OPTIONS") {
    if (isAllowed) await applyCors(c, next);
    else await next();
    if (c.env.ALLOWED_ORIGINS && c.res.status !== 101) c.header("vary", "Origin", { append: !isAllowed });
    return;
  }
  // The route table has answered with the methods of the path. For an allowed page, add the CORS headers.
  await next();
  if (isAllowed) return applyCors(c, endOfChain);
  if (c.env.ALLOWED_ORIGINS) c.header("vary", "Origin");
  return undefined;
};

/**
 * Prevents pages of other origins from changing anything when no token is needed: a browser sends a `POST` without a
 * body from any page, and CORS only hides its answer. https://owasp.org/www-community/attacks/csrf
 */
export const preventCsrf: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  const caller = c.get("caller") as Caller | undefined;
  const isForeign =
    caller !== undefined && isAnonymous(caller) && origin !== undefined && !isAllowedOrigin(origin, c.env);
  return isForeign && !["GET", "HEAD"].includes(c.req.method)
    ? respondWithProblem(c, { reason: "origin-refused" })
    : next();
};

const endOfChain = async () => undefined;

/**
 * Lets a browser open a socket from pages of the allowed origins, and from the Worker's own origin unless the caller is
 * anonymous. Programs other than browsers send no `Origin`. CORS does not cover sockets.
 */
export const requireAllowedOrigin: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  return origin === undefined || isAllowedOrigin(origin, c.env) || isSameOrigin(c, origin)
    ? next()
    : respondWithProblem(c, { reason: "origin-refused" });
};

/**
 * The same for an event stream that a ticket opens. With another token CORS covers it: a browser asks before it sends
 * `Authorization`.
 */
export const requireAllowedOriginForTicket: MiddlewareHandler<AppEnv> = async (c, next) =>
  c.req.query("ticket") === undefined ? next() : requireAllowedOrigin(c, next);

/**
 * By DNS rebinding any site can use a name that leads here, so for an anonymous caller the same origin proves nothing.
 */
const isSameOrigin = (c: Context<AppEnv>, origin: string): boolean =>
  !isAnonymous(c.var.caller) && origin === new URL(c.req.url).origin;
