import type * as z from "zod";
import { isoTime } from "../../../core/time.ts";
import type { ListedChatbot } from "../../../store/fit-list.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentChatbot = (chatbot: ListedChatbot): z.output<typeof schemas.Chatbot> => ({
  id: chatbot.id,
  name: chatbot.name,
  ...omitNulls({ description: chatbot.description }),
  endpointId: chatbot.endpointId,
  ...omitNulls({ systemPrompt: chatbot.systemPrompt, greeting: chatbot.greeting }),
  historyLimit: chatbot.historyLimit,
  ...omitNulls({ params: chatbot.params === null ? null : (JSON.parse(chatbot.params) as Record<string, unknown>) }),
  // A record that an object of the last release read has none of these.
  ...omitNulls({ context: chatbot.context ?? null }),
  ...omitNulls({ takeoverTimeoutMinutes: chatbot.takeoverTimeoutMinutes ?? null }),
  createdAt: isoTime(chatbot.createdAt),
  updatedAt: isoTime(chatbot.updatedAt),
  ...(chatbot.isShortened ? { truncated: true as const } : {}),
});
