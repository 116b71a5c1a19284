import type { Hono, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import type { AppEnv } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/**
 * Turns away what no route takes, before anything else is looked at: 404 for an unknown path, 405 with `Allow` for a
 * method that the path does not take. Answers `OPTIONS` with the methods that it does.
 */
export function requireRoute(app: () => Hono<AppEnv>): MiddlewareHandler<AppEnv> {
  let methods: TrieRouter<string> | undefined;
  return async function findRoute(c, next) {
    // Middleware is mounted under every method; what is left is a route.
    if (matchedRoutes(c).some(({ method }) => method !== "ALL")) return next();
    methods ??= methodsByPath(app());
    const found = methods.match("ALL", withoutTrailingSlash(c.req.path))[0].map(([method]) => method);
    if (found.length === 0) return respondWithProblem(c, { reason: "route-not-found" });
    const allow = [...new Set(found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))), "OPTIONS"];
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow: allow.join(", ") });
    return respondWithProblem(c, { reason: "method-not-allowed", allow });
  };
}

/** A path without the trailing slash, which makes no difference. */
const withoutTrailingSlash = (path: string): string => path.replace(/(?<=.)\/$/, "");

function methodsByPath(app: Hono<AppEnv>): TrieRouter<string> {
  const router = new TrieRouter<string>();
  for (const { method, path } of app.routes) {
    if (method !== "ALL") router.add("ALL", withoutTrailingSlash(path), method);
  }
  return router;
}
