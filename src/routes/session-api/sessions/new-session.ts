import { newObjectId } from "../../../core/id.ts";
import type { Message } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { EpochMs } from "../../../core/time.ts";

/** What a caller gives of a new session. */
interface NewSession {
  chatbotId: string;
  clientId: string;
  title?: string | undefined;
  metadata?: string | undefined;
  startTime?: EpochMs | undefined;
}

/** A chatbot session as it begins: `SCHEDULED` if that is still to come, and with the chatbot's greeting, if it has one. */
export function newSession(
  input: NewSession,
  greeting: string | null,
  at: EpochMs,
): { session: Session; greeting: Message | null } {
  const id = newObjectId(at);
  const startTime = input.startTime ?? at;
  const scheduled = startTime > at;
  const count = greeting === null ? 0 : 1;
  return {
    greeting: greeting === null ? null : greetingMessage(id, greeting, at),
    session: {
      id,
      kind: "chatbot",
      title: input.title ?? null,
      description: null,
      status: scheduled ? "SCHEDULED" : "ACTIVE",
      startTime,
      endTime: null,
      dueAt: scheduled ? startTime : null,
      chatbotId: input.chatbotId,
      clientId: input.clientId,
      chats: [{ chatId: id, endpointId: null }],
      promptTemplate: null,
      contextStrategy: null,
      metadata: input.metadata ?? null,
      feedback: null,
      createdAt: at,
      updatedAt: at,
      lastSeq: count,
      metadataVersion: 0,
      messageCount: count,
    },
  };
}

const greetingMessage = (chatId: string, content: string, createdAt: EpochMs): Message => ({
  seq: 1,
  chatId,
  turnId: null,
  turnNumber: null,
  role: "assistant",
  content,
  createdAt,
  reply: null,
});
