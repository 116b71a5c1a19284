import type { Context } from "hono";
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import { liveSession } from "../live/live-session.ts";
import { database } from "../store/database.ts";
import { readSession } from "../store/sessions.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";

/** A session and its log as its object has it, and otherwise as the index database does; `null` for none. */
export async function wholeSession(
  c: Context<AppEnv>,
  id: string,
): Promise<{ session: Session; messages: Message[] } | null> {
  const live = await timed(c, "session", liveSession(c.env, id).read());
  if (live) return live;
  const stored = await timed(c, "index", readSession(database(c.env.DB), id));
  return stored && { session: stored.session, messages: stored.log };
}
