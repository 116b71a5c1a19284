/**
 * Answers calls for which the app has no route, before any other check: 404 for an unknown path, 405 with `Allow` for a
 * method that the path does not have, 204 with `Allow` for `OPTIONS`. The routes come from the app itself; there is no
 * list to maintain.
 */
import type { Hono, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import type { AppEnv } from "./context.ts";
import { exceedsAddressLimit, TOO_MANY_CALLS } from "./rate-limits.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

export function requireRoute(app: () => Hono<AppEnv>): MiddlewareHandler<AppEnv> {
  let router: TrieRouter<string> | undefined;
  return async function findRoute(c, next) {
    // Middleware is registered for all methods. A match with a method of its own is a route.
    if (matchedRoutes(c).some(({ method }) => method !== "ALL")) return next();
    if (await exceedsAddressLimit(c)) return respondWithProblem(c, TOO_MANY_CALLS);
    router ??= methodsByPath(app());
    const methods = router.match("ALL", withoutTrailingSlash(c.req.path))[0].map(([method]) => method);
    if (methods.length === 0) return respondWithProblem(c, { reason: "route-not-found" });
    const allow = [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))), "OPTIONS"];
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow: allow.join(", ") });
    return respondWithProblem(c, { reason: "method-not-allowed", allow });
  };
}

/** A path without its trailing slash: with or without, it is the same route. */
export const withoutTrailingSlash = (path: string): string => path.replace(/(?<=.)\/$/, "");

function methodsByPath(app: Hono<AppEnv>): TrieRouter<string> {
  const router = new TrieRouter<string>();
  for (const { method, path } of app.routes) {
    if (method !== "ALL") router.add("ALL", withoutTrailingSlash(path), method);
  }
  return router;
}
