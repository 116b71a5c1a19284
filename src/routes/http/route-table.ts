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
  let table: RouteTable | undefined;
  return async function findRoute(c, next) {
    table ??= tableOf(app());
    const path = withoutTrailingSlash(c.req.path);
    const ofFixedPath = table.fixedPaths.get(path);
    const isFixed = ofFixedPath === undefined || withHead(ofFixedPath).includes(c.req.method);
    // Middleware is registered for all methods. A match with a method of its own is a route.
    if (isFixed && matchedRoutes(c).some(({ method }) => method !== "ALL")) return next();
    if (await exceedsAddressLimit(c)) return respondWithProblem(c, TOO_MANY_CALLS);
    const methods = ofFixedPath ?? table.methods.match("ALL", path)[0].map(([method]) => method);
    if (methods.length === 0) return respondWithProblem(c, { reason: "route-not-found" });
    const allow = [...new Set(withHead(methods)), "OPTIONS"];
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow: allow.join(", ") });
    return respondWithProblem(c, { reason: "method-not-allowed", allow });
  };
}

const withHead = (methods: string[]): string[] =>
  methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));

interface RouteTable {
  /** The methods of each path. */
  methods: TrieRouter<string>;
  /** The methods of the paths without params. `/sessions/chat` is none of the sessions of `/sessions/:id`. */
  fixedPaths: Map<string, string[]>;
}

/** A path without its trailing slash: with or without, it is the same route. */
export const withoutTrailingSlash = (path: string): string => path.replace(/(?<=.)\/$/, "");

function tableOf(app: Hono<AppEnv>): RouteTable {
  const table: RouteTable = { methods: new TrieRouter(), fixedPaths: new Map() };
  for (const { method, path: registered } of app.routes) {
    if (method === "ALL") continue;
    const path = withoutTrailingSlash(registered);
    table.methods.add("ALL", path, method);
    if (!path.includes(":")) table.fixedPaths.set(path, [...(table.fixedPaths.get(path) ?? []), method]);
  }
  return table;
}
