import { asContextStrategy } from "../core/endpoint.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Outcome } from "../core/failure.ts";
import { notFound, success } from "../core/failure.ts";
import type { Session } from "../core/session.ts";
import type { Database } from "../store/database.ts";
import { chatbotContext, comparisonContext } from "../store/turn-context.ts";
import type { Share } from "../turn/fan-out.ts";
import { chatbotShare, comparisonShare } from "../turn/take-turn.ts";
import type { Log } from "./log.ts";

/** What is put to the chats. */
export interface Prompt {
  content: string;
  /** Where it stands in the log already, if it was asked before and failed; `null` for one that is new. */
  seq: number | null;
}

/**
 * Works out what each chat of a session is to ask. Endpoints, chatbot and template are taken as they are now: one round
 * trip to the index database.
 *
 * @returns `not-found` when the chatbot or the client is gone
 */
export function planTurn(db: Database, log: Log, session: Session, prompt: Prompt): Promise<Outcome<Share[]>> {
  return session.kind === "chatbot" ? planChat(db, log, session, prompt) : planComparison(db, log, session, prompt);
}

async function planChat(db: Database, log: Log, session: Session, prompt: Prompt): Promise<Outcome<Share[]>> {
  const { chatbot, endpoint, clientThere } = await chatbotContext(db, session);
  if (!chatbot) return notFound("chatbot", session.chatbotId);
  if (!clientThere) return notFound("client", session.clientId);
  const before = prompt.seq === null ? undefined : prompt.seq - 1;
  const recent = chatbot.historyLimit > 1 ? log.conversation(chatbot.historyLimit - 1, before) : [];
  const conversation = [...recent, { role: "user" as const, content: prompt.content }];
  return success([chatbotShare(session.id, chatbot, endpoint, conversation, priorCalls(log, session.id, endpoint))]);
}

async function planComparison(db: Database, log: Log, session: Session, prompt: Prompt): Promise<Outcome<Share[]>> {
  const { endpoints, template } = await comparisonContext(db, session);
  const strategy = asContextStrategy(session.contextStrategy);
  const named = session.promptTemplate;
  const preparation = {
    strategy,
    template: named === null ? null : { name: named, template: template?.template ?? null },
  };
  const shares = session.chats.map((chat) => {
    const endpoint = endpoints.get(chat.endpointId ?? "") ?? null;
    const replies = strategy === null ? [] : log.replies(chat.chatId);
    return comparisonShare(
      chat,
      endpoint,
      prompt.content,
      replies,
      priorCalls(log, chat.chatId, endpoint),
      preparation,
    );
  });
  return success(shares);
}

/** Only the echo endpoint asks how often it was called, and counting reads the chat's whole log. */
const priorCalls = (log: Log, chatId: string, endpoint: Endpoint | null): number =>
  endpoint?.connectorType === "echo-connector" ? log.calls(chatId) : 0;
