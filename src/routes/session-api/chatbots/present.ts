import type * as z from "zod";
import type { Chatbot } from "../../../core/chatbot.ts";
import { isoTime } from "../../../core/time.ts";
import { present } from "../envelope.ts";
import type * as schemas from "./schemas.ts";

export const presentChatbot = (chatbot: Chatbot): z.output<typeof schemas.Chatbot> => ({
  id: chatbot.id,
  name: chatbot.name,
  ...present({ description: chatbot.description }),
  endpointId: chatbot.endpointId,
  ...present({ systemPrompt: chatbot.systemPrompt, greeting: chatbot.greeting }),
  historyLimit: chatbot.historyLimit,
  ...present({ params: chatbot.params === null ? null : (JSON.parse(chatbot.params) as Record<string, unknown>) }),
  createdAt: isoTime(chatbot.createdAt),
  updatedAt: isoTime(chatbot.updatedAt),
});
