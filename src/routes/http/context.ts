/**
 * What every route gets from Hono's context: its bindings and variables, and small functions that several routes need
 * to read a call or to measure the answer. What belongs to one dialect, or to one concern with a file of its own, does
 * not belong here.
 */
import type { Context, MiddlewareHandler } from "hono";
import { endTime, startTime } from "hono/timing";
import type { Caller, Ticket } from "../../core/caller.ts";
import { splitCommaList } from "../../core/comma-list.ts";
import type { SessionReader } from "../../live/read-session.ts";
import type { History } from "../../live/session-client.ts";
import type { Database } from "../../store/database.ts";
import { database } from "../../store/database.ts";
import type { Claim } from "../../store/idempotency-keys.ts";
import type { Dialect } from "./dialect.ts";

/** The Worker's bindings, and the variables that the middleware of `app.ts` sets. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    dialect: Dialect;
    caller: Caller;
    /** The ticket that the call has used up. */
    ticket?: Ticket;
    requestId: string;
    /** Whether the call is within the limit of its address. Set once the call has been counted. */
    addressLimit?: Promise<boolean>;
    claim?: Claim;
    /** Set when the caller stops to read its answer. */
    hasLeft?: true;
    secureHeadersNonce?: string;
  };
}

/** Middleware that validates the id of a resource. Later handlers read it by `c.req.valid("param").id`. */
export type IdValidator = MiddlewareHandler<AppEnv, string, { in: { param: IdParam }; out: { param: IdParam } }>;

interface IdParam {
  id: string;
}

/** Middleware behind the validator of a body with these fields. Handlers read it by `c.req.valid("json")`. */
export type BodyMiddleware<Body extends object = object> = MiddlewareHandler<
  AppEnv,
  string,
  { in: { json: Body }; out: { json: Body } }
>;

/** Waits for a part of the work and adds its time to the `server-timing` header. */
export async function measure<T>(c: Context, part: "auth" | "session" | "index", work: Promise<T>): Promise<T> {
  startTime(c, part);
  try {
    return await work;
  } finally {
    endTime(c, part);
  }
}

/** Whether the caller has gone away, before its answer began or while it was sent. */
export const hasLeft = (c: Context<AppEnv>): boolean => c.req.raw.signal.aborted || c.get("hasLeft") === true;

/** What `live/read-session.ts` needs to read a session during a call. */
export const readerOf = (c: Context<AppEnv>): SessionReader => ({
  env: c.env,
  measure: (source, work) => measure(c, source, work),
  keepAlive: (work) => c.executionCtx.waitUntil(work),
  hasLeft: () => hasLeft(c),
});

const BOOKMARK = /^[0-9a-f-]{1,200}$/i;

/**
 * Reads a list: from the primary, or from a nearby replica that is at least as fresh as the caller's `x-d1-bookmark`.
 * https://developers.cloudflare.com/d1/best-practices/read-replication/
 */
export async function readFromReplica<T>(c: Context<AppEnv>, read: (db: Database) => Promise<T>): Promise<T> {
  const header = c.req.header("x-d1-bookmark") ?? "";
  const session = c.env.DB.withSession(BOOKMARK.test(header) ? header : "first-primary");
  const list = await measure(c, "index", read(database(session)));
  const bookmark = session.getBookmark();
  if (bookmark) c.header("x-d1-bookmark", bookmark);
  return list;
}

/**
 * Reads `Prefer: return=minimal` (RFC 7240): the caller wants only new messages. The answer then says that it applies.
 */
export function applyPreference(c: Context): History {
  const preferences = splitCommaList(c.req.header("prefer")?.toLowerCase());
  if (!preferences.some((preference) => /^return\s*=\s*"?minimal"?\s*(;|$)/.test(preference))) return "whole";
  c.header("preference-applied", "return=minimal");
  return "added";
}
