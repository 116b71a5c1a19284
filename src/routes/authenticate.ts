import type { MiddlewareHandler } from "hono";
import { identify } from "../access/identify.ts";
import type { CallerRole } from "../core/key.ts";
import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { findKeyByHash } from "../store/keys.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";
import { refuse } from "./refuse.ts";

/** The paths that anyone may call. */
export const OPEN_PATHS: readonly string[] = ["/healthz", "/openapi.json", "/docs"];

/** Learns who calls from `Authorization: Bearer <token>`, and turns away who cannot tell. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (OPEN_PATHS.includes(c.req.path.replace(/(?<=.)\/$/, ""))) return next();
  const token = /^Bearer +(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const registry = {
    adminKey: c.env.ADMIN_KEY,
    findKey: (hash: string) => findKeyByHash(database(c.env.DB), hash),
  };
  const caller = token === undefined ? null : await timed(c, "auth", identify(token, registry, now()));
  if (!caller) return refuse(c, { reason: "unauthenticated" });
  c.set("caller", caller);
  return next();
};

/**
 * Lets only some roles pass. Placed behind a route's validators: what is not well-formed is refused as that, whoever
 * sends it.
 */
export const permit =
  (...roles: CallerRole[]): MiddlewareHandler<AppEnv> =>
  async (c, next) =>
    roles.includes(c.var.caller.role) ? next() : refuse(c, { reason: "forbidden" });
