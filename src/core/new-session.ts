/**
 * Makes a new session with one chat from its input, and what all new sessions have alike. It does not check that what the
 * input names exists, and saves nothing. The only effect is a random id.
 */
import { newObjectId } from "./id.ts";
import { BOT_HANDLING } from "./handover.ts";
import type { Message } from "./message.ts";
import { NO_COMPARISON } from "./session.ts";
import type { Session } from "./session.ts";
import type { EpochMs } from "./time.ts";

/** With whom a session is: a client's with a chatbot, or without both with an endpoint. */
export type SessionParties =
  | { chatbotId: string; clientId: string; endpointId?: undefined }
  | { chatbotId: null; clientId: null; endpointId: string };

interface SessionSettings {
  title?: string | undefined;
  metadata?: string | undefined;
  startTime?: EpochMs | undefined;
}

export type NewSessionInput = SessionSettings & SessionParties;

/** The validated body of a session with a chatbot, with its client. */
export type NewChatbotSessionInput = Extract<NewSessionInput, { chatbotId: string }>;

/** A session with a future `startTime` is `SCHEDULED`. The chatbot's greeting becomes the first message. */
export function newSession(
  input: NewSessionInput,
  greeting: string | null,
  at: EpochMs,
): { session: Session; greeting: Message | null } {
  const id = newObjectId(at);
  const startTime = input.startTime ?? at;
  const isScheduled = startTime > at;
  return {
    greeting: greeting === null ? null : greetingMessage(id, greeting, at),
    session: {
      id,
      kind: "chatbot",
      title: input.title ?? null,
      description: null,
      status: isScheduled ? "SCHEDULED" : "ACTIVE",
      startTime,
      dueAt: isScheduled ? startTime : null,
      chatbotId: input.chatbotId,
      clientId: input.clientId,
      chats: [{ chatId: id, endpointId: input.endpointId ?? null }],
      ...NO_COMPARISON,
      ...unusedSession(at, greeting === null ? 0 : 1),
      metadata: input.metadata ?? null,
    },
  };
}

/**
 * What is the same in every session that nobody has used yet.
 *
 * @param messages how many messages its log begins with
 */
export const unusedSession = (at: EpochMs, messages: number) => ({
  endTime: null,
  metadata: null,
  feedback: null,
  createdAt: at,
  updatedAt: at,
  lastSeq: messages,
  metadataVersion: 0,
  messageCount: messages,
  archive: null,
  activePath: null,
  ...BOT_HANDLING,
});

/** The first message of a log, by the chatbot. */
export const greetingMessage = (chatId: string, content: string, createdAt: EpochMs): Message => ({
  seq: 1,
  chatId,
  turnId: null,
  turnNumber: null,
  role: "assistant",
  content,
  createdAt,
  reply: null,
});
