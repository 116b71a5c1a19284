import type * as z from "zod";
import type { Chatbot } from "../../../core/chatbot.ts";
import type { Client } from "../../../core/client.ts";
import type { CallerRole } from "../../../core/caller.ts";
import type { Message } from "../../../core/message.ts";
import { hasText } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import { isoTime } from "../../../core/time.ts";
import type { PopulatedSession } from "../../../store/session-list.ts";
import { presentChatbot } from "../chatbots/present.ts";
import { presentClient } from "../clients/present.ts";
import { present } from "../envelope.ts";
import type * as schemas from "./schemas.ts";

export const presentMessage = ({ role, content, createdAt, reply }: Message): z.output<typeof schemas.Message> => ({
  role,
  content,
  timestamp: isoTime(createdAt),
  ...(reply && reply.finishReason !== "stop" ? { finishReason: reply.finishReason } : {}),
});

const answered = (session: Session, messages: Message[]) => ({
  ...present({ title: session.title }),
  startTime: isoTime(session.startTime),
  ...present({ endTime: session.endTime === null ? null : isoTime(session.endTime) }),
  status: session.status,
  messages: messages.filter(hasText).map(presentMessage),
  ...present({
    metadata: session.metadata === null ? null : (JSON.parse(session.metadata) as Record<string, unknown>),
    feedback: session.feedback,
  }),
  createdAt: isoTime(session.createdAt),
  updatedAt: isoTime(session.updatedAt),
});

export const presentSession = (session: Session, messages: Message[]): z.output<typeof schemas.Session> => ({
  id: session.id,
  chatbotId: session.chatbotId ?? "",
  clientId: session.clientId ?? "",
  ...answered(session, messages),
});

export const presentPopulated = (
  { session, chatbot, client, messages }: PopulatedSession,
  seenBy: CallerRole | null,
): z.output<typeof schemas.PopulatedSession> => ({
  id: session.id,
  chatbotId: chatbot?.deletedAt === null ? presentChatbotTo(seenBy, chatbot) : goneBy(chatbot, session.chatbotId),
  clientId: client?.deletedAt === null ? presentClient(client) : goneBy(client, session.clientId),
  ...answered(session, messages),
});

/** How a chatbot is set up is not for those whom it serves. */
const presentChatbotTo = (role: CallerRole | null, chatbot: Chatbot) =>
  role === "client"
    ? { id: chatbot.id, name: chatbot.name, ...present({ description: chatbot.description }) }
    : presentChatbot(chatbot);

const goneBy = (known: Chatbot | Client | null, id: string | null) => ({
  id: id ?? "",
  name: known?.name ?? "",
  deleted: true as const,
});

export const presentListed = (
  found: PopulatedSession,
  seenBy: CallerRole | null,
): z.output<typeof schemas.ListedSession> => ({
  ...presentPopulated(found, seenBy),
  messageCount: found.session.messageCount,
});
