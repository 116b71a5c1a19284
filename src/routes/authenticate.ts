import type { Context, MiddlewareHandler } from "hono";
import { hashToken, identify } from "../access/identify.ts";
import { asObjectId } from "../core/id.ts";
import type { Caller, CallerRole } from "../core/key.ts";
import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { findKeyByHash } from "../store/keys.ts";
import { takeTicket } from "../store/tickets.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";
import { refuse } from "./refuse.ts";

/** The paths that anyone may call. */
export const OPEN_PATHS: readonly string[] = ["/healthz", "/openapi.json", "/docs"];

/** Learns who calls, and turns away who cannot tell. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (OPEN_PATHS.includes(c.req.path.replace(/(?<=.)\/$/, ""))) return next();
  const caller = await timed(c, "auth", callerOf(c));
  if (!caller) return refuse(c, { reason: "unauthenticated" });
  c.set("caller", caller);
  return next();
};

/** By `Authorization: Bearer <token>`; a socket's opener may show its token, or a ticket, in a way that a browser can. */
export async function callerOf(c: Context<AppEnv>): Promise<Caller | null> {
  const db = database(c.env.DB);
  const [, socketOf] = /^(?:\/v1)?\/sessions\/([^/]+)\/ws\/?$/.exec(c.req.path) ?? [];
  const token = bearer(c) ?? (socketOf === undefined ? undefined : offered(c));
  if (token !== undefined) {
    return identify(token, { adminKey: c.env.ADMIN_KEY, findKey: (hash) => findKeyByHash(db, hash) }, now());
  }
  const ticket = c.req.query("ticket");
  const sessionId = socketOf === undefined ? null : sessionNamed(socketOf);
  if (ticket === undefined || sessionId === null) return null;
  return takeTicket(db, await hashToken(ticket), sessionId, now());
}

/** The id in a part of a path, as its session has it; `null` for what is none. */
function sessionNamed(part: string): string | null {
  try {
    const id = decodeURIComponent(part);
    return asObjectId(id) ?? id;
  } catch {
    return null;
  }
}

const bearer = (c: Context): string | undefined => /^Bearer +(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];

/** A token among the subprotocols: `bearer.<token>`. */
const offered = (c: Context): string | undefined =>
  /(?:^|,)\s*bearer\.([^\s,]+)/.exec(c.req.header("sec-websocket-protocol") ?? "")?.[1];

/**
 * Lets only some roles pass. Placed behind a route's validators: what is not well-formed is refused as that, whoever
 * sends it.
 */
export const permit =
  (...roles: CallerRole[]): MiddlewareHandler<AppEnv> =>
  async (c, next) =>
    roles.includes(c.var.caller.role) ? next() : refuse(c, { reason: "forbidden" });
