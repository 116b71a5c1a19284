import type { Context } from "hono";
import { endTime, startTime } from "hono/timing";
import type { Caller } from "../../core/caller.ts";
import type { Database } from "../../store/database.ts";
import { database } from "../../store/database.ts";
import type { Claim } from "../../store/idempotency-keys.ts";
import type { Dialect } from "./dialect.ts";

/** What every route is handed: the Worker's bindings, and who calls. */
export interface AppEnv {
  Bindings: Env;
  Variables: { dialect: Dialect; caller: Caller; requestId: string; claim?: Claim; secureHeadersNonce?: string };
}

/** Waits for a stage of the answer and names it in `server-timing`. */
export async function measure<T>(c: Context, stage: "auth" | "session" | "index", work: Promise<T>): Promise<T> {
  startTime(c, stage);
  try {
    return await work;
  } finally {
    endTime(c, stage);
  }
}

const BOOKMARK = /^[0-9a-f-]{1,200}$/i;

/**
 * Reads a list: from the primary, or from a nearby replica that is at least as fresh as the caller's `x-d1-bookmark`.
 * https://developers.cloudflare.com/d1/best-practices/read-replication/
 */
export async function readFromReplica<T>(c: Context<AppEnv>, read: (db: Database) => Promise<T>): Promise<T> {
  const given = c.req.header("x-d1-bookmark") ?? "";
  const session = c.env.DB.withSession(BOOKMARK.test(given) ? given : "first-primary");
  const list = await measure(c, "index", read(database(session)));
  const bookmark = session.getBookmark();
  if (bookmark) c.header("x-d1-bookmark", bookmark);
  return list;
}

/** Whether the caller wants only what is new, by `Prefer: return=minimal` (RFC 7240); the answer then says so. */
export function applyPreference(c: Context): "whole" | "added" {
  const preferences = (c.req.header("prefer") ?? "").toLowerCase().split(",");
  if (!preferences.some((preference) => /^\s*return\s*=\s*"?minimal"?\s*(;|$)/.test(preference))) return "whole";
  c.header("preference-applied", "return=minimal");
  return "added";
}
