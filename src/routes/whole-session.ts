import type { Context } from "hono";
import { liveSession } from "../live/live-session.ts";
import type { Living } from "../live/snapshot.ts";
import { database } from "../store/database.ts";
import { referredTo } from "../store/session-list.ts";
import { readSession } from "../store/sessions.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";

/** A session and its log as its object has it, and otherwise as the index database does; `null` for none. */
export async function wholeSession(c: Context<AppEnv>, id: string): Promise<Living | null> {
  const live = await timed(c, "session", liveSession(c.env, id).read());
  if (live) return live;
  const stored = await timed(c, "index", readSession(database(c.env.DB), id));
  return stored && { session: stored.session, messages: stored.log, chatbot: null, client: null };
}

/** The chatbot and the client of a session; as last known, while the index database is down. */
export async function referredToBy(c: Context<AppEnv>, { session, chatbot, client }: Living) {
  try {
    return await referredTo(database(c.env.DB), session);
  } catch (error) {
    if (!chatbot) throw error;
    return { chatbot, client };
  }
}
