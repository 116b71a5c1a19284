import { cors } from "hono/cors";
import type { Context, MiddlewareHandler } from "hono";
import type { Caller } from "../../core/caller.ts";
import type { AppEnv } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** What a page's script may send, beside what any page may. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "prefer",
  "x-d1-bookmark",
];

/** What a page's script may read of an answer's head. */
const RESPONSE_HEADERS = [
  "content-disposition",
  "idempotency-replayed",
  "link",
  "preference-applied",
  "retry-after",
  "server-timing",
  "www-authenticate",
  "x-d1-bookmark",
  "x-request-id",
];

/** How long a browser may remember what it was told of a route, in seconds. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** Whether an origin is one of `ALLOWED_ORIGINS`. What is no origin there, such as `*`, is nobody's. */
export const isAllowedOrigin = (origin: string, env: Env): boolean =>
  (env.ALLOWED_ORIGINS ?? "").split(",").some((one) => one.trim() === origin && isOrigin(origin));

export const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const applyCors = cors({
  origin: (origin) => origin,
  allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
  allowHeaders: REQUEST_HEADERS,
  exposeHeaders: RESPONSE_HEADERS,
  maxAge: PREFLIGHT_MAX_AGE_SECONDS,
});

/**
 * Lets pages of the allowed origins call, and read what they are answered, refusals too. No cookie is ever looked at, so
 * none is asked for. https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const allowOrigins: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  const allowed = origin !== undefined && isAllowedOrigin(origin, c.env);
  if (c.req.method !== "OPTIONS") {
    if (allowed) await applyCors(c, next);
    else await next();
    if (c.env.ALLOWED_ORIGINS && c.res.status !== 101) c.header("vary", "Origin", { append: !allowed });
    return;
  }
  // The route table says which methods there are; to a page it is said in these words too.
  await next();
  if (allowed) return applyCors(c, endOfChain);
  if (c.env.ALLOWED_ORIGINS) c.header("vary", "Origin");
  return undefined;
};

/**
 * Keeps pages of other origins from changing anything where nobody has to show a token: a browser sends a `POST` without a
 * body unasked, and CORS only hides its answer. https://owasp.org/www-community/attacks/csrf
 */
export const preventCsrf: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  const caller = c.get("caller") as Caller | undefined;
  const isForeign = caller?.id === "anonymous" && origin !== undefined && !isAllowedOrigin(origin, c.env);
  return isForeign && !["GET", "HEAD"].includes(c.req.method)
    ? respondWithProblem(c, { reason: "origin-refused" })
    : next();
};

const endOfChain = async () => undefined;

/**
 * Lets a browser open a socket only from pages that it may be opened from: those of the allowed origins, and our own unless
 * nobody had to show a token. Other programs send no `Origin`, and CORS does not cover sockets.
 */
export const requireAllowedOrigin: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  return origin === undefined || isAllowedOrigin(origin, c.env) || isSameOrigin(c, origin)
    ? next()
    : respondWithProblem(c, { reason: "origin-refused" });
};

/** A page of any site can be shown at an address that leads here (DNS rebinding): its own origin proves nothing then. */
const isSameOrigin = (c: Context<AppEnv>, origin: string): boolean =>
  c.var.caller.id !== "anonymous" && origin === new URL(c.req.url).origin;
