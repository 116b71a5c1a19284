/** The names of models: the id of an endpoint, or that of a chatbot behind a prefix. No effects. */

export const CHATBOT_PREFIX = "chatbot:";

/** The model that a session is with. */
export const modelIdOf = ({ chatbotId, endpointId }: { chatbotId: string | null; endpointId: string | null }): string =>
  endpointId ?? CHATBOT_PREFIX + (chatbotId ?? "");
