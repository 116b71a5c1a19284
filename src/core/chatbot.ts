/** Chatbots: how a comparison names them among its endpoints, and what stands for one where an endpoint is asked as it is. Pure. */
import type { ContextSettings } from "./context.ts";
import { MAX_LOG_MESSAGES } from "./message.ts";
import type { EpochMs } from "./time.ts";

/** What stands before the id of a chatbot among the endpoints of a comparison session. */
const CHATBOT_PREFIX = "chatbot:";

/** The chatbot that stands in an endpoint's place, by its id; `null` for an endpoint. */
export const chatbotIdOf = (endpointId: string | null): string | null =>
  endpointId?.startsWith(CHATBOT_PREFIX) ? endpointId.slice(CHATBOT_PREFIX.length) : null;

/** An endpoint with a persona. */
export interface Chatbot {
  id: string;
  name: string;
  description: string | null;
  endpointId: string;
  systemPrompt: string | null;
  /** The first message of each session, with role `assistant`. */
  greeting: string | null;
  /** How many of the newest messages are sent as context. */
  historyLimit: number;
  /** How many tokens a call may send; `null` for any number. */
  context: ContextSettings | null;
  /** JSON text of an object. Its fields override the endpoint's params. */
  params: string | null;
  /** After so many minutes without a word of the person who took over, the bot answers again; `null` for never. */
  takeoverTimeoutMinutes: number | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  deletedAt: EpochMs | null;
}

/** An endpoint as it is: without persona, and with the whole conversation. It is in no table. */
export const plainChatbot = (endpointId: string): Chatbot => ({
  id: "",
  name: endpointId,
  description: null,
  endpointId,
  systemPrompt: null,
  greeting: null,
  historyLimit: MAX_LOG_MESSAGES,
  context: null,
  params: null,
  takeoverTimeoutMinutes: null,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
});
