/**
 * The records that a turn needs besides the log: chatbot, client, endpoints, template. Read from D1, with the copy in
 * the object's log as a fallback.
 *
 * The queries do not belong here: those are in `store/turn-context.ts`. Effects: D1, the log's storage, a timer.
 */
import { rootCause } from "../../core/failure.ts";
import type { Session } from "../../core/session.ts";
import type { Database } from "../../store/database.ts";
import { readChatbotContext, readComparisonContext } from "../../store/turn-context.ts";
import type { ChatContext, TurnContext } from "../../store/turn-context.ts";
import type { SessionWorld } from "../session-world.ts";

/** How long to wait for D1 before using the cached records, in milliseconds. */
const D1_TIMEOUT_MS = 3_000;

/** Reads the records that a session refers to. One round trip. */
export const readTurnContext = async (db: Database, session: Session): Promise<TurnContext> =>
  session.kind === "chatbot"
    ? { of: "chat", chat: await readChatbotContext(db, session) }
    : { of: "comparison", comparison: await readComparisonContext(db, session) };

/** The chatbot and the client of a chatbot session. */
export const referencedRecords = (context: TurnContext | null): Pick<ChatContext, "chatbot" | "client"> => ({
  chatbot: context?.of === "chat" ? context.chat.chatbot : null,
  client: context?.of === "chat" ? context.chat.client : null,
});

/** The current records. If D1 is slow or down, the cached ones, so that turns continue. */
export async function currentContext({ log, records }: SessionWorld, session: Session): Promise<TurnContext> {
  const cached = log.cachedContext;
  if (!cached) return records.readTurnContext(session);
  const timeout = Promise.withResolvers<TurnContext>();
  const timer = setTimeout(() => timeout.resolve(cached), D1_TIMEOUT_MS);
  const current = records.readTurnContext(session).then(
    (context) => {
      if (log.state) log.cacheContext(context);
      return context;
    },
    (error: unknown) => {
      console.error({ event: "turn-context-not-read", sessionId: session.id, error: rootCause(error) });
      return cached;
    },
  );
  return Promise.race([current, timeout.promise]).finally(() => clearTimeout(timer));
}
