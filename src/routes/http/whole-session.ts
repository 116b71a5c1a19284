import type { Context } from "hono";
import { sessionStub } from "../../live/session-client.ts";
import type { Message } from "../../core/message.ts";
import type { History, LiveSnapshot, SessionResult } from "../../live/session-results.ts";
import { database } from "../../store/database.ts";
import { readLog } from "../../store/messages.ts";
import { findReferenced } from "../../store/session-list.ts";
import { findSession } from "../../store/sessions.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";

/**
 * A session as its object has it, and otherwise as the index database does; `null` for none.
 *
 * @param history whether its log is to be shown: what is not is not read
 */
export async function wholeSession(c: Context<AppEnv>, id: string, history: History): Promise<LiveSnapshot | null> {
  const db = database(c.env.DB);
  const live = await measure(c, "session", sessionStub(c.env, id).read(history));
  if (!live.ok) return null;
  if (live.value) return { ...live.value, messages: await wholeLog(c, live.value) };
  const session = await measure(c, "index", findSession(db, id));
  if (!session) return null;
  const messages = history === "whole" ? await measure(c, "index", readLog(db, id, session.lastSeq)) : [];
  return { session, messages, upTo: 0, chatbot: null, client: null };
}

/** How many messages are asked of an object at once: as many as fit. */
const ALL = 1_000_000;

/** The messages that an answer is to show: what did not fit in one part is read in others. */
export async function wholeLog(c: Context<AppEnv>, { session, messages, upTo }: SessionResult): Promise<Message[]> {
  const log = [...messages];
  for (let last = log.at(-1)?.seq ?? 0; last < upTo; last = log.at(-1)?.seq ?? upTo) {
    const part = await measure(c, "session", sessionStub(c.env, session.id).page(last, ALL, "all"));
    if (!part.ok) break;
    // It has ended meanwhile, and lives in the index database.
    const rest = part.value ? part.value.items : await readLog(database(c.env.DB), session.id, upTo, last);
    if (rest.length === 0) break;
    log.push(...rest.filter(({ seq }) => seq <= upTo));
  }
  return log;
}

/** The chatbot and the client of a session; as last known, while the index database is down. */
export async function referredToBy(c: Context<AppEnv>, { session, chatbot, client }: LiveSnapshot) {
  try {
    return await findReferenced(database(c.env.DB), session);
  } catch (error) {
    if (!chatbot) throw error;
    return { chatbot, client };
  }
}
