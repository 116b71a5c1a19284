/**
 * Creates a comparison session: checks the names in it, makes its ids from names and the time, and saves it under an id
 * that is free. A chatbot among the endpoints opens its chat with its greeting. Effects: queries to D1.
 */
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import type { Bridge } from "../../../core/bridge.ts";
import { chatbotIdOf } from "../../../core/chatbot.ts";
import { CONTEXT_STRATEGIES, asContextStrategy } from "../../../core/prompt-template.ts";
import type { Failed, Outcome } from "../../../core/failure.ts";
import { notFound, success } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import { greetingMessage, unusedSession } from "../../../core/new-session.ts";
import type { Chat, Session } from "../../../core/session.ts";
import type { EpochMs } from "../../../core/time.ts";
import { zonedStamp } from "../../../core/time.ts";
import { nearestName } from "../../../core/unknown-fields.ts";
import type { Database } from "../../../store/database.ts";
import { endpointNotFound, existingEndpoints } from "../../../store/endpoints.ts";
import { findNamedChatbots } from "../../../store/named-chatbots.ts";
import type { NamedChatbot } from "../../../store/named-chatbots.ts";
import { findPromptTemplate, promptTemplateNotFound } from "../../../store/prompt-templates.ts";
import { slug } from "../../../store/slug.ts";
import { createComparisonSession } from "../../../store/sessions.ts";
import { chatIdOf } from "./chat-id.ts";

/** What a caller says of a new session. */
export interface NewSessionInput extends Pick<
  Session,
  "promptTemplate" | "contextStrategy" | "previousPrompts" | "systemPrompt" | "attackModule"
> {
  name: string;
  description: string;
  /** Their ids. */
  endpoints: string[];
}

/** The conversation of a chat session that a comparison is made from, with copies of its messages. */
export interface RecordedConversation {
  bridge: Bridge;
  messages: Message[];
}

/** The chatbots among the endpoints of a session, by their ids. */
export type SessionChatbots = Map<string, NamedChatbot>;

/**
 * Checks that the endpoints, the template and the strategy exist. The failure names the first one that does not.
 *
 * @returns the chatbots among the endpoints
 */
export async function checkNamesExist(
  db: Database,
  { endpoints, promptTemplate, contextStrategy }: NewSessionInput,
): Promise<Outcome<SessionChatbots>> {
  const chatbotIds = endpoints.flatMap((id) => chatbotIdOf(id) ?? []);
  const [existing, chatbots] = await Promise.all([existingEndpoints(db, endpoints), findNamedChatbots(db, chatbotIds)]);
  const missing = endpoints.find((id) => !existing.has(id) && !chatbots.has(chatbotIdOf(id) ?? ""));
  if (missing !== undefined) return modelNotFound(db, missing);
  if (promptTemplate !== null && !(await findPromptTemplate(db, promptTemplate)))
    return promptTemplateNotFound(db, promptTemplate);
  if (contextStrategy !== null && !asContextStrategy(contextStrategy)) return contextStrategyNotFound(contextStrategy);
  return success(chatbots);
}

async function modelNotFound(db: Database, id: string): Promise<Failed> {
  const chatbotId = chatbotIdOf(id);
  return chatbotId === null ? endpointNotFound(db, id) : notFound("chatbot", chatbotId);
}

/** The failure of an unknown strategy. It suggests the one that was probably meant. */
export const contextStrategyNotFound = (name: string): Failed =>
  notFound("context strategy", name, nearestName(name, CONTEXT_STRATEGIES));

/** A session that is not saved yet, with the messages that its log begins with: a recorded conversation, greetings. */
export interface NewSession {
  session: Session;
  messages: Message[];
}

/**
 * Creates a session with its id, or with `-2`, `-3`, … appended to it while that id is taken.
 *
 * @param statements run in the same transaction
 */
export async function createUnderFreeId(
  db: Database,
  { session, messages }: NewSession,
  statements: (candidate: Session) => D1PreparedStatement[],
): Promise<Session> {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? session : { ...session, id: `${session.id}-${attempt}` };
    if (await createComparisonSession(db, candidate, messages, statements(candidate))) return candidate;
  }
}

/**
 * A new comparison session.
 *
 * @param chatbots those among its endpoints
 * @param zone the IANA zone of the time stamp in its ids
 */
export async function newSession(
  db: Database,
  input: NewSessionInput,
  chatbots: SessionChatbots,
  { at, zone, recorded = null }: { at: EpochMs; zone: string; recorded?: RecordedConversation | null },
): Promise<NewSession> {
  const stamp = zonedStamp(at, zone);
  const chatbotOf = (endpointId: string | null) => chatbots.get(chatbotIdOf(endpointId) ?? "");
  const slugs = await Promise.all(
    input.endpoints.map(async (id) => {
      const chatbot = chatbotOf(id);
      return chatbot ? slug(db, chatbot.name) : id;
    }),
  );
  const chatIds = distinct(slugs.map((named) => chatIdOf(named, stamp)));
  const chats = input.endpoints.map((endpointId, index): Chat => ({ chatId: chatIds[index] ?? "", endpointId }));
  const greetings = chats.flatMap(({ chatId, endpointId }) => {
    const greeting = chatbotOf(endpointId)?.greeting ?? null;
    return greeting === null ? [] : [greetingMessage(chatId, greeting, at)];
  });
  const { bridge = null, messages: copies = [] } = recorded ?? {};
  // A pinned conversation has the greeting that was recorded.
  const first = bridge?.mode === "pinned" ? copies : [...copies, ...greetings];
  const messages = first.map((message, index) => ({ ...message, seq: index + 1 }));
  const id = `${await slug(db, input.name)}_${stamp}`;
  const recordedChats = bridge ? [{ chatId: RECORDED_CHAT, endpointId: null }] : [];
  const fields = { chats: [...recordedChats, ...chats], bridge, count: messages.length, at };
  return { session: sessionOf(id, input, fields), messages };
}

/** The same id again gets `_2`, `_3`, … */
function distinct(ids: string[]): string[] {
  const occurrences = new Map<string, number>();
  return ids.map((id) => {
    const occurrence = (occurrences.get(id) ?? 0) + 1;
    occurrences.set(id, occurrence);
    return occurrence === 1 ? id : `${id}_${occurrence}`;
  });
}

/** @param count how many messages its log begins with */
const sessionOf = (
  id: string,
  input: NewSessionInput,
  { chats, bridge, count, at }: Pick<Session, "chats" | "bridge"> & { count: number; at: EpochMs },
): Session => ({
  id,
  kind: "comparison",
  title: input.name,
  description: input.description,
  status: "ACTIVE",
  startTime: at,
  dueAt: null,
  chatbotId: null,
  clientId: null,
  chats,
  promptTemplate: input.promptTemplate,
  contextStrategy: input.contextStrategy,
  previousPrompts: input.previousPrompts,
  systemPrompt: input.systemPrompt,
  attackModule: input.attackModule,
  bridge,
  ...unusedSession(at, count),
});
