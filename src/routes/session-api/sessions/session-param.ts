/**
 * Which session a call is about, and whether its caller may see it: once for all routes of `/sessions` that name a
 * session. Whether the session exists does not belong here: the handlers find out. Effects: a query to D1 for callers
 * of role `client`, and a cache in memory.
 */
import type { Context } from "hono";
import { asObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import type { EpochMs } from "../../../core/time.ts";
import { database } from "../../../store/database.ts";
import { clientOfSession } from "../../../store/sessions.ts";
import type { AppEnv, IdValidator } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

export const SESSION_NOT_FOUND = { reason: "not-found", resource: "session", id: null } as const;

export const SESSION_NOT_ACTIVE = { reason: "session-not-active" } as const;

/** How many sessions to cache. A client uses few sessions, and makes many calls to each. */
const MAX_CACHED_OWNERS = 10_000;

/**
 * How long a cached owner counts for a JWT, in milliseconds: the client that it names can be deleted. With an API key
 * it counts for longer, because the client's keys are deleted with it.
 */
const OWNER_CACHE_MS = 15_000;

/** The client of a session, by session. A session never changes its client. */
const cachedOwners = new Map<string, { clientId: string; until: EpochMs }>();

/** Removes a deleted client from this isolate's cache. */
export function evictCachedOwner(clientId: string): void {
  for (const [sessionId, owner] of cachedOwners) if (owner.clientId === clientId) cachedOwners.delete(sessionId);
}

/**
 * Validates the id of a session in the path, or in the query where the path has none. Place it after the validators of
 * body and query, and after roles.
 *
 * A caller of role `client` passes only for its own sessions. The session of another client is answered like a missing
 * one, after the same query to D1 and before the object is called: neither the text nor the time shows the difference.
 *
 * @param missing the answer for a session that the caller cannot see
 */
export const sessionParam =
  (missing: HttpProblem = SESSION_NOT_FOUND): IdValidator =>
  async (c, next) => {
    const id = asObjectId(c.req.param("id") ?? c.req.query("sessionId") ?? "");
    if (id === null || !(await isVisible(c, id))) return respondWithProblem(c, missing);
    c.req.addValidatedData("param", { id });
    return next();
  };

async function isVisible(c: Context<AppEnv>, sessionId: string): Promise<boolean> {
  const { role, keyId, clientId } = c.var.caller;
  if (role !== "client") return true;
  const cached = cachedOwners.get(sessionId);
  const isOwn = cached?.clientId === clientId;
  if (isOwn && (keyId !== null || cached.until > now())) return true;
  const query = measure(c, "index", clientOfSession(database(c.env.DB), sessionId));
  // While D1 is down, no client can be deleted either.
  const owner = await query.catch((error: unknown) => (isOwn ? clientId : Promise.reject(error)));
  if (owner === null || owner !== clientId) return false;
  if (cachedOwners.size >= MAX_CACHED_OWNERS) cachedOwners.clear();
  cachedOwners.set(sessionId, { clientId, until: now() + OWNER_CACHE_MS });
  return true;
}
