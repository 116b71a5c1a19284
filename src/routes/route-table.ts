import type { Hono, MiddlewareHandler } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { AppEnv } from "./context.ts";
import { refuse } from "./refuse.ts";

/**
 * Turns away what no route takes, before anything else is looked at: 404 for an unknown path, 405 with `Allow` for a
 * method that the path does not take. Answers `OPTIONS` with the methods that it does.
 */
export function routeTable(app: () => Hono<AppEnv>): MiddlewareHandler<AppEnv> {
  let methods: SmartRouter<string> | undefined;
  return async function findRoute(c, next) {
    methods ??= methodsByPath(app());
    // The one way in which a path may be written differently: `strict: false` lets routes match it, and so does this.
    const path = c.req.path.replace(/(?<=.)\/$/, "");
    const found = methods.match("ALL", path)[0].map(([method]) => (Array.isArray(method) ? method[0] : method));
    if (found.length === 0) return refuse(c, { reason: "route-not-found" });
    const allow = [...new Set(found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))), "OPTIONS"];
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow: allow.join(", ") });
    if (!allow.includes(c.req.method)) return refuse(c, { reason: "method-not-allowed", allow });
    await next();
  };
}

function methodsByPath(app: Hono<AppEnv>): SmartRouter<string> {
  const router = new SmartRouter<string>({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const { method, path } of app.routes) {
    if (method !== "ALL") router.add("ALL", path.replace(/(?<=.)\/$/, ""), method);
  }
  return router;
}
