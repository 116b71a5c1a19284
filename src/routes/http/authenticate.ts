/**
 * Who calls: reads the token of a call, finds its caller and sets `c.var.caller`; and which roles a route allows. How a
 * token is checked does not belong here: that is `auth`. Which single resource a caller may see is each dialect's rule.
 * Effects: queries to D1, a call to the identity provider for its keys, audit lines.
 */
import type { Context, MiddlewareHandler } from "hono";
import { identify } from "../../auth/identify.ts";
import { KeySetUnavailable } from "../../auth/jwks.ts";
import { isTicket } from "../../auth/tickets.ts";
import { sha256Hex } from "../../crypto/secrets.ts";
import { asObjectId } from "../../core/id.ts";
import { ANONYMOUS, isAnonymous, isBackend } from "../../core/caller.ts";
import type { Caller, CallerRole, Ticket } from "../../core/caller.ts";
import { rootCause } from "../../core/failure.ts";
import { now } from "../../core/time.ts";
import { readJson } from "../../net/outbound.ts";
import { database } from "../../store/database.ts";
import { findKeyByHash, recordKeyUse } from "../../store/api-keys.ts";
import { consumeTicket, saveTicket } from "../../store/tickets.ts";
import { adminKeyOf, anonymousRoleOf, anonymousRoleProblem, identityProviderOf, tokenProblem } from "./settings.ts";
import { audit } from "./audit.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";
import { exceedsAddressLimit, TOO_MANY_CALLS } from "./rate-limits.ts";
import type { HttpProblem } from "./problem.ts";
import { requestIdsOf } from "./request-id.ts";
import { respondWithProblem } from "./respond-with-problem.ts";
import { withoutTrailingSlash } from "./route-table.ts";
import { countFailedSignIn, isSignInBlocked } from "./sign-in-limit.ts";

/** The paths that need no token. */
export const OPEN_PATHS: readonly string[] = ["/", "/healthz", "/openapi.json"];

/** Sets the caller of every call, except on open paths. Without a valid token it answers 401. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const path = withoutTrailingSlash(c.req.path);
  if (OPEN_PATHS.includes(path))
    return isPlainHealthCheck(c, path) || !(await exceedsAddressLimit(c))
      ? next()
      : respondWithProblem(c, TOO_MANY_CALLS);
  const caller = await measure(c, "auth", signIn(c));
  if ("reason" in caller) return respondWithProblem(c, caller);
  c.set("caller", caller);
  await next();
  const ticket = c.get("ticket");
  if (ticket && !hasOpened(c)) await giveBack(c, ticket);
};

/** Whether the call has opened a stream (200) or a socket (101). The answer to `HEAD` has no body that anybody could read. */
const hasOpened = (c: Context): boolean => c.req.method !== "HEAD" && [200, 101].includes(c.res.status);

/** Only a call that opens something uses up its ticket. What refuses a call is often known only after its caller. */
const giveBack = (c: Context<AppEnv>, ticket: Ticket): Promise<void> =>
  measure(c, "auth", saveTicket(database(c.env.DB), ticket)).catch((error: unknown) =>
    console.error({ event: "ticket-not-given-back", ...requestIdsOf(c), error: rootCause(error) }),
  );

/** Monitoring calls it often, and it asks nothing of anybody. */
const isPlainHealthCheck = (c: Context, path: string): boolean => path === "/healthz" && c.req.query("deep") !== "1";

/**
 * Finds the caller, within the limits of its address. The limit of failed sign-ins comes before any token is compared.
 * The limit of calls comes before any query, and does not count services and admins.
 */
export async function signIn(c: Context<AppEnv>): Promise<Caller | HttpProblem> {
  if (hasCredentials(c) && isSignInBlocked(c)) return TOO_MANY_CALLS;
  const caller = await findCaller(c);
  if (!("reason" in caller) && isBackend(caller)) return caller;
  if ("reason" in caller && (await hasFailedTooOften(c, caller))) return TOO_MANY_CALLS;
  return (await exceedsAddressLimit(c)) ? TOO_MANY_CALLS : caller;
}

/** Writes a failed sign-in to the audit log and counts it. A call without a token is no guess, so it does not count. */
async function hasFailedTooOften(c: Context<AppEnv>, { reason }: HttpProblem): Promise<boolean> {
  if (reason !== "unauthenticated" && reason !== "misconfigured") return false;
  audit(c, "sign-in-failed", { path: c.req.path });
  return hasCredentials(c) && countFailedSignIn(c);
}

const hasCredentials = (c: Context): boolean =>
  c.req.header("authorization") !== undefined ||
  subprotocolToken(c) !== undefined ||
  c.req.query("ticket") !== undefined;

const UNAUTHENTICATED = { reason: "unauthenticated" } as const;

/** The address has made too many calls to look up one more token. */
class LookupRefused extends Error {}

/**
 * Finds the caller by `Authorization: Bearer <token>`. A browser cannot send that header when it opens a socket or an
 * event stream, so there a ticket may be in the query, and for a socket an end user's token in
 * `Sec-WebSocket-Protocol`.
 */
async function findCaller(c: Context<AppEnv>): Promise<Caller | HttpProblem> {
  const token = bearerToken(c);
  if (token !== undefined) return findCallerByToken(c, token);
  const [, sessionSegment, followedBy] = /\/sessions\/([^/]+)\/(ws|events)\/?$/.exec(c.req.path) ?? [];
  const offered = followedBy === "ws" ? subprotocolToken(c) : undefined;
  if (offered !== undefined) return findEndUserByToken(c, offered);
  const ticket = sessionSegment === undefined ? undefined : c.req.query("ticket");
  if (ticket !== undefined) return findCallerByTicket(c, ticket, sessionSegment ?? "");
  return c.req.header("authorization") === undefined ? anonymousCaller(c.env) : UNAUTHENTICATED;
}

async function findCallerByToken(c: Context<AppEnv>, token: string): Promise<Caller | HttpProblem> {
  const db = database(c.env.DB);
  const keepAlive = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const sources = {
    adminKey: adminKeyOf(c.env),
    keys: {
      admit: async () => {
        if (await exceedsAddressLimit(c)) throw new LookupRefused();
      },
      find: (hash: string) => findKeyByHash(db, hash),
      recordUse: (id: string, at: number) => keepAlive(recordKeyUse(db, id, at).catch(() => undefined)),
      keepAlive,
    },
    identityProvider: identityProviderOf(c.env),
    keySets: { readJson, keepAlive },
  };
  try {
    const caller = await identify(token, sources, now());
    return caller ?? tokenProblem(c.env, token) ?? UNAUTHENTICATED;
  } catch (error) {
    if (error instanceof LookupRefused) return TOO_MANY_CALLS;
    if (error instanceof KeySetUnavailable) return { reason: "identity-provider-unavailable" };
    throw error;
  }
}

/**
 * Servers, proxies and the platform's traces write the headers of a request to their logs, and know only
 * `Authorization` as a secret. So no token that can do more than one end user's may be in another header.
 */
async function findEndUserByToken(c: Context<AppEnv>, token: string): Promise<Caller | HttpProblem> {
  const caller = await findCallerByToken(c, token);
  return "reason" in caller || caller.role === "client" ? caller : { reason: "token-in-subprotocol" };
}

function anonymousCaller(env: Env): Caller | HttpProblem {
  const role = anonymousRoleOf(env);
  return role === null ? (anonymousRoleProblem(env) ?? UNAUTHENTICATED) : { ...ANONYMOUS, role };
}

async function findCallerByTicket(
  c: Context<AppEnv>,
  text: string,
  sessionSegment: string,
): Promise<Caller | HttpProblem> {
  const sessionId = decodeSessionId(sessionSegment);
  if (sessionId === null) return UNAUTHENTICATED;
  if (await exceedsAddressLimit(c)) return TOO_MANY_CALLS;
  const ticket = await consumeTicket(database(c.env.DB), await sha256Hex(text), sessionId, now());
  // A used ticket is no guess: browsers show it again by themselves whenever an event stream breaks.
  if (!ticket) return isTicket(text) ? { reason: "ticket-refused" } : UNAUTHENTICATED;
  c.set("ticket", ticket);
  return ticket.caller;
}

/** The session's id in a segment of a path, in the form in which it is stored; `null` when the segment is malformed. */
function decodeSessionId(segment: string): string | null {
  try {
    const id = decodeURIComponent(segment);
    return asObjectId(id) ?? id;
  } catch {
    return null;
  }
}

const bearerToken = (c: Context): string | undefined =>
  /^Bearer +(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];

/** The token in the subprotocol `bearer.<token>`. */
const subprotocolToken = (c: Context): string | undefined =>
  /(?:^|,)\s*bearer\.([^\s,]+)/.exec(c.req.header("sec-websocket-protocol") ?? "")?.[1];

/** A caller has none of the roles that a call needs. */
export const roleMissing = (caller: Caller, roles: CallerRole[]): HttpProblem => ({
  reason: "forbidden",
  message: `This call needs a token of role ${roles.join(", ").replace(/, (\w+)$/, " or $1")}: ${ownRole(caller)}`,
});

function ownRole(caller: Caller): string {
  if (isAnonymous(caller)) return `a call without a token has the role ${caller.role}`;
  return caller.role === null
    ? "this one has none. A JWT needs the claim role, and for a client the claim client_id"
    : `this one has the role ${caller.role}`;
}

/** Allows only some roles. Place it after a route's validators: malformed input is 400 or 422 for every caller. */
const requireRole =
  (...roles: CallerRole[]): MiddlewareHandler<AppEnv> =>
  async (c, next) =>
    c.var.caller.role !== null && roles.includes(c.var.caller.role)
      ? next()
      : respondWithProblem(c, roleMissing(c.var.caller, roles));

export const allowAdmins = requireRole("admin");

/** Allows services, and admins. */
export const allowServices = requireRole("admin", "service");

/** Allows operators, services and admins. */
export const allowOperators = requireRole("admin", "service", "operator");

/** Allows clients, services and admins: who chats. Which sessions a client may see is the dialect's rule. */
export const allowClients = requireRole("admin", "service", "client");

/** Allows every role. */
export const allowEveryRole = requireRole("admin", "service", "operator", "client");
