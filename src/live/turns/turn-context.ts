import { rootCause } from "../../core/failure.ts";
import type { Session } from "../../core/session.ts";
import type { Database } from "../../store/database.ts";
import { readChatbotContext, readComparisonContext } from "../../store/turn-context.ts";
import type { ChatContext, TurnContext } from "../../store/turn-context.ts";
import type { Log } from "../log/log.ts";

/** How long the index database is waited for when there is something older to go by, in milliseconds. */
const PATIENCE_MS = 3_000;

/** Reads what a session refers to, as it is now. One round trip. */
export const readTurnContext = async (db: Database, session: Session): Promise<TurnContext> =>
  session.kind === "chatbot"
    ? { of: "chat", chat: await readChatbotContext(db, session) }
    : { of: "comparison", comparison: await readComparisonContext(db, session) };

/** The chatbot and the client of a chat. */
export const referencedRecords = (context: TurnContext | null): Pick<ChatContext, "chatbot" | "client"> => ({
  chatbot: context?.of === "chat" ? context.chat.chatbot : null,
  client: context?.of === "chat" ? context.chat.client : null,
});

/**
 * What a session refers to, as it is now. While the index database is slow or down it is taken as it was last: turns go
 * on then.
 */
export async function cachedContext(db: Database, log: Log, session: Session): Promise<TurnContext> {
  const known = log.cachedContext;
  if (!known) return readTurnContext(db, session);
  const late = Promise.withResolvers<TurnContext>();
  const timer = setTimeout(() => late.resolve(known), PATIENCE_MS);
  const fresh = readTurnContext(db, session).then(
    (context) => {
      if (log.state) log.cacheContext(context);
      return context;
    },
    (error: unknown) => {
      console.error({ event: "context-not-read", sessionId: session.id, error: rootCause(error) });
      return known;
    },
  );
  return Promise.race([fresh, late.promise]).finally(() => clearTimeout(timer));
}
