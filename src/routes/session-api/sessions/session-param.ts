/**
 * Which session a call is about, and whether its caller may see it: once for all routes of `/sessions` that name a
 * session. Whether the session exists does not belong here: the handlers find out. Effects: a query to D1 for callers
 * of role `client`, and a cache in memory.
 */
import type { Context } from "hono";
import { asObjectId } from "../../../core/id.ts";
import { waitAtMost } from "../../../core/time-limit.ts";
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
 * At this age a cached owner is read again in the background for a JWT, in milliseconds: the client that it names can be
 * deleted. With an API key it counts for longer, because the client's keys are deleted with it.
 */
const REFRESH_AGE_MS = 15_000;

/** At this age a call with a JWT waits for that. */
const MAX_AGE_MS = 30_000;

/** The longest that a call waits for D1 if it has a cached owner, in milliseconds. */
const READ_TIMEOUT_MS = 2_000;

/** The client of a session, by session, and when that was read. A session never changes its client. */
const cachedOwners = new Map<string, { clientId: string; readAt: EpochMs }>();

/** Adds a session that a client has created. */
export function cacheOwner(sessionId: string, clientId: string, readAt: EpochMs): void {
  if (cachedOwners.size >= MAX_CACHED_OWNERS) cachedOwners.clear();
  cachedOwners.set(sessionId, { clientId, readAt });
}

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
  const age = isOwn && keyId === null ? now() - cached.readAt : 0;
  if (isOwn && age < REFRESH_AGE_MS) return true;
  const reading = isReadOwner(c, sessionId);
  if (isOwn && age < MAX_AGE_MS) {
    c.executionCtx.waitUntil(reading.catch(() => undefined));
    return true;
  }
  const waiting = measure(c, "index", isOwn ? waitAtMost(READ_TIMEOUT_MS, reading) : reading);
  // While D1 is down, no client can be deleted either.
  return waiting.catch((error: unknown) => isOwn || Promise.reject(error));
}

/** Reads the owner of a session, and caches it if that is the caller. @returns whether it is */
async function isReadOwner(c: Context<AppEnv>, sessionId: string): Promise<boolean> {
  const { clientId } = c.var.caller;
  const at = now();
  const owner = await clientOfSession(database(c.env.DB), sessionId);
  const isOwner = owner !== null && owner === clientId;
  if (isOwner) cacheOwner(sessionId, owner, at);
  else if (cachedOwners.get(sessionId)?.clientId === clientId) cachedOwners.delete(sessionId);
  return isOwner;
}
