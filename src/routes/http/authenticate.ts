import type { Context, MiddlewareHandler } from "hono";
import { ANONYMOUS, identify } from "../../auth/identify.ts";
import { KeySetUnavailable } from "../../auth/jwks.ts";
import { sha256Hex } from "../../crypto/secrets.ts";
import { asObjectId } from "../../core/id.ts";
import type { Caller, CallerRole } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import { readJson } from "../../net/outbound.ts";
import { database } from "../../store/database.ts";
import { findKeyByHash, recordKeyUse } from "../../store/api-keys.ts";
import { consumeTicket } from "../../store/tickets.ts";
import { anonymousRoleProblem, identityProviderOf, tokenProblem } from "./settings.ts";
import { audit } from "./audit.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";
import { exceedsSignInLimit, TOO_MANY } from "./rate-limits.ts";
import type { HttpProblem } from "./problem.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** The paths that anyone may call. */
export const OPEN_PATHS: readonly string[] = ["/healthz", "/openapi.json", "/docs"];

/** Learns who calls, and turns away who cannot tell. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (OPEN_PATHS.includes(c.req.path.replace(/(?<=.)\/$/, ""))) return next();
  const known = await timed(c, "auth", callerOf(c));
  if ("reason" in known) return rejectSignIn(c, known);
  c.set("caller", known);
  return next();
};

/** Writes down who could not tell who they are; who tries again and again is told to stay away. */
export async function rejectSignIn(c: Context<AppEnv>, refusal: HttpProblem): Promise<Response> {
  if (refusal.reason !== "unauthenticated") return respondWithProblem(c, refusal);
  audit(c, "sign-in-failed", { path: c.req.path });
  return respondWithProblem(c, (await exceedsSignInLimit(c)) ? TOO_MANY : refusal);
}

const UNAUTHENTICATED = { reason: "unauthenticated" } as const;

/** By `Authorization: Bearer <token>`; a socket's opener may show its token, or a ticket, in a way that a browser can. */
export async function callerOf(c: Context<AppEnv>): Promise<Caller | HttpProblem> {
  const [, socketOf] = /\/sessions\/([^/]+)\/ws\/?$/.exec(c.req.path) ?? [];
  const token = bearer(c) ?? (socketOf === undefined ? undefined : subprotocolToken(c));
  if (token !== undefined) return callerOfToken(c, token);
  const ticket = socketOf === undefined ? undefined : c.req.query("ticket");
  if (ticket !== undefined) return (await callerOfTicket(c, ticket, socketOf ?? "")) ?? UNAUTHENTICATED;
  return c.req.header("authorization") === undefined ? withoutToken(c.env) : UNAUTHENTICATED;
}

async function callerOfToken(c: Context<AppEnv>, token: string): Promise<Caller | HttpProblem> {
  const db = database(c.env.DB);
  const registry = {
    adminKey: c.env.ADMIN_KEY,
    keys: {
      find: (hash: string) => findKeyByHash(db, hash),
      recordUse: (id: string, at: number) => c.executionCtx.waitUntil(recordKeyUse(db, id, at).catch(() => undefined)),
    },
    identityProvider: identityProviderOf(c.env),
    readJson,
  };
  try {
    const caller = await identify(token, registry, now());
    return caller ?? tokenProblem(c.env, token) ?? UNAUTHENTICATED;
  } catch (error) {
    if (error instanceof KeySetUnavailable) return { reason: "identity-unknowable" };
    throw error;
  }
}

const withoutToken = (env: Env): Caller | HttpProblem =>
  env.ANONYMOUS_ROLE === "service" ? ANONYMOUS : (anonymousRoleProblem(env) ?? UNAUTHENTICATED);

async function callerOfTicket(c: Context<AppEnv>, ticket: string, part: string): Promise<Caller | null> {
  const sessionId = sessionNamed(part);
  return sessionId === null ? null : consumeTicket(database(c.env.DB), await sha256Hex(ticket), sessionId, now());
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
const subprotocolToken = (c: Context): string | undefined =>
  /(?:^|,)\s*bearer\.([^\s,]+)/.exec(c.req.header("sec-websocket-protocol") ?? "")?.[1];

/**
 * Lets only some roles pass. Placed behind a route's validators: what is not well-formed is refused as that, whoever
 * sends it.
 */
export const requireRole =
  (...roles: CallerRole[]): MiddlewareHandler<AppEnv> =>
  async (c, next) =>
    c.var.caller.role !== null && roles.includes(c.var.caller.role)
      ? next()
      : respondWithProblem(c, { reason: "forbidden" });
