/**
 * Makes a new chatbot session from its input. It does not check that the chatbot and the client exist, and saves
 * nothing. The only effect is a random id.
 */
import { newObjectId } from "../../../core/id.ts";
import { BOT_HANDLING } from "../../../core/handover.ts";
import type { Message } from "../../../core/message.ts";
import { NO_COMPARISON } from "../../../core/session.ts";
import type { Session } from "../../../core/session.ts";
import type { EpochMs } from "../../../core/time.ts";

/** The validated body, with its client. */
export interface NewSessionInput {
  chatbotId: string;
  clientId: string;
  title?: string | undefined;
  metadata?: string | undefined;
  startTime?: EpochMs | undefined;
}

/** A session with a future `startTime` is `SCHEDULED`. The chatbot's greeting becomes the first message. */
export function newSession(
  input: NewSessionInput,
  greeting: string | null,
  at: EpochMs,
): { session: Session; greeting: Message | null } {
  const id = newObjectId(at);
  const startTime = input.startTime ?? at;
  const isScheduled = startTime > at;
  const count = greeting === null ? 0 : 1;
  return {
    greeting: greeting === null ? null : greetingMessage(id, greeting, at),
    session: {
      id,
      kind: "chatbot",
      title: input.title ?? null,
      description: null,
      status: isScheduled ? "SCHEDULED" : "ACTIVE",
      startTime,
      endTime: null,
      dueAt: isScheduled ? startTime : null,
      chatbotId: input.chatbotId,
      clientId: input.clientId,
      chats: [{ chatId: id, endpointId: null }],
      ...NO_COMPARISON,
      metadata: input.metadata ?? null,
      feedback: null,
      createdAt: at,
      updatedAt: at,
      lastSeq: count,
      metadataVersion: 0,
      messageCount: count,
      archive: null,
      activePath: null,
      ...BOT_HANDLING,
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
