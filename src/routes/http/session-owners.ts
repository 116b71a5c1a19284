/**
 * Whether a session is that of the caller's client, with a cache in the isolate's memory. What that means for a call does
 * not belong here: that is `session-param.ts`. Effects: queries to D1, memory, the clock; logs a failed lookup.
 */
import type { Context } from "hono";
import { rootCause } from "../../core/failure.ts";
import { asObjectId } from "../../core/id.ts";
import { LOOKUP_TIMEOUT_MS, isRefreshDue, isUsable, newLookup } from "../../core/lookup-age.ts";
import type { Lookup } from "../../core/lookup-age.ts";
import { waitAtMost } from "../../core/time-limit.ts";
import { now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import { database } from "../../store/database.ts";
import { clientOfSession } from "../../store/sessions.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";
import type { HttpProblem } from "./problem.ts";
import { requestIdsOf } from "./request-id.ts";

/** How many sessions to cache. A client uses few sessions, and makes many calls to each. */
const MAX_CACHED_OWNERS = 10_000;

interface CachedOwner extends Lookup {
  clientId: string;
}

/** The client of a session, by session. A session never changes its client, but the client can be deleted. */
const cachedOwners = new Map<string, CachedOwner>();

/** When a client was last deleted in this isolate. What a lookup found that began before may be deleted. */
let lastDeletionAt: EpochMs = -Infinity;

/** Adds the client of a session. @param at when it was known to exist */
export function cacheOwner(sessionId: string, clientId: string, at: EpochMs): void {
  if (at <= lastDeletionAt) return;
  if (cachedOwners.size >= MAX_CACHED_OWNERS) cachedOwners.clear();
  cachedOwners.set(sessionId, { clientId, ...newLookup(at) });
}

/** Removes a deleted client from this isolate's cache. Call it after the write, also if that failed. */
export function evictCachedOwner(clientId: string): void {
  for (const [sessionId, owner] of cachedOwners) if (owner.clientId === clientId) cachedOwners.delete(sessionId);
  lastDeletionAt = now();
}

/**
 * Whether a session is that of the caller's client, which was not deleted. For a JWT the answer has the age that an API
 * key may have. For an API key it counts for longer: the key is looked up, and deleted with its client.
 *
 * @throws what the lookup throws, or that it took too long, for an answer that is not cached or too old
 */
export async function isOwnSession(c: Context<AppEnv>, sessionId: string): Promise<boolean> {
  const { keyId, clientId } = c.var.caller;
  const owner = cachedOwners.get(sessionId);
  const cached = owner?.clientId === clientId ? owner : undefined;
  if (cached && keyId !== null) return true;
  const at = now();
  if (cached && isUsable(cached, at)) {
    if (isRefreshDue(cached, at))
      c.executionCtx.waitUntil(lookUpInTime(c, sessionId, cached, at).catch(logFailureOf(c)));
    return true;
  }
  return measure(c, "index", lookUpInTime(c, sessionId, cached, at)).catch((error: unknown) => {
    if (!cached || !isUsable(cached, at)) throw error;
    logFailureOf(c)(error);
    return true;
  });
}

const SESSION_NOT_FOUND = { reason: "not-found", resource: "session", id: null } as const;

/** The session with an id. Another client's is answered like a missing one. */
export async function findOwnSession(c: Context<AppEnv>, text: string): Promise<{ sessionId: string } | HttpProblem> {
  const sessionId = asObjectId(text);
  if (sessionId === null || (c.var.caller.role === "client" && !(await isOwnSession(c, sessionId))))
    return SESSION_NOT_FOUND;
  return { sessionId };
}

const logFailureOf = (c: Context<AppEnv>) => (error: unknown) =>
  console.error({ event: "owner-not-looked-up", ...requestIdsOf(c), error: rootCause(error) });

/** @throws what the lookup throws, or that it took too long; then it goes on in the background */
async function lookUpInTime(
  c: Context<AppEnv>,
  sessionId: string,
  cached: CachedOwner | undefined,
  at: EpochMs,
): Promise<boolean> {
  if (cached) cached.lookedUpAt = at;
  const lookup = lookUp(c, sessionId, at);
  c.executionCtx.waitUntil(lookup.catch(() => undefined));
  try {
    return await waitAtMost(LOOKUP_TIMEOUT_MS, lookup);
  } catch (error) {
    if (cached) cached.failedAt = at;
    throw error;
  }
}

async function lookUp(c: Context<AppEnv>, sessionId: string, at: EpochMs): Promise<boolean> {
  const { clientId } = c.var.caller;
  const owner = await clientOfSession(database(c.env.DB), sessionId);
  const isOwner = owner !== null && owner === clientId;
  if (isOwner) cacheOwner(sessionId, owner, at);
  else if (cachedOwners.get(sessionId)?.clientId === clientId) cachedOwners.delete(sessionId);
  return isOwner;
}
