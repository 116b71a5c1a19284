import type { Context } from "hono";
import type { Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { sessionStub } from "../../live/session-client.ts";
import { database } from "../../store/database.ts";
import { messagesPage } from "../../store/messages.ts";
import { findSession } from "../../store/sessions.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";

/** Messages of one page. What is long makes it shorter: no page is longer than a part. */
const PAGE_MESSAGES = 1_000;

/** The log of a session as it stood at one moment, read page by page: it can be longer than what memory holds. */
export interface OpenLog {
  /** The session at that moment; its `lastSeq` is where the log ends. */
  session: Session;
  /** Messages behind a `seq`, oldest first. @throws once the session is gone */
  page: (after: number, limit?: number) => Promise<Message[]>;
}

/** Opens the log of a session as its object has it, and otherwise as the index database does; `null` for none. */
export async function openLog(c: Context<AppEnv>, id: string): Promise<OpenLog | null> {
  const db = database(c.env.DB);
  const live = await measure(c, "session", sessionStub(c.env, id).read("added"));
  if (!live.ok) return null;
  const session = live.value?.session ?? (await measure(c, "index", findSession(db, id)));
  if (!session) return null;
  const page: OpenLog["page"] = async (after, limit = PAGE_MESSAGES) => {
    const part = await sessionStub(c.env, id).page(after, limit, "all");
    if (!part.ok) throw new Error("The session was removed while its log was read");
    // Where its object holds nothing, or no longer, the index database has all of it.
    return (part.value ?? (await messagesPage(db, id, after, limit, "all"))).items;
  };
  return { session, page };
}

/** @throws when the log ends before the last message that it had when it was opened: a part of it must not pass for the whole */
export async function* messagesOf({ session: { lastSeq }, page }: OpenLog): AsyncGenerator<Message, void> {
  for (let after = 0; after < lastSeq;) {
    const messages = await page(after);
    const last = messages.at(-1);
    if (!last) throw new Error(`The log breaks off behind message ${after} of ${lastSeq}`);
    yield* messages.filter(({ seq }) => seq <= lastSeq);
    after = last.seq;
  }
}
