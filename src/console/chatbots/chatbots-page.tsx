/** *Chatbots*: endpoints with a persona, which clients talk to. */
import type { Chatbot, Endpoint } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { plural } from "../shared/format.ts";
import { Loaded } from "../shared/loaded.tsx";
import { ManagedList } from "../shared/managed-list.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { ChatbotForm } from "./chatbot-form.tsx";

export function ChatbotsPage() {
  const { api } = useConsole();
  const { value: endpoints } = useLoaded(() => api.endpoints.list(), [api]);
  // A long list leaves texts out, and another person may have changed it: so a chatbot is loaded before it is changed.
  const load = async (id: string | null) => {
    const [chatbot, all] = await Promise.all([id === null ? null : api.chatbots.get(id), api.endpoints.list()]);
    return { chatbot, endpoints: all };
  };
  return (
    <ManagedList
      title="Chatbots"
      noun="chatbot"
      lead="An endpoint with a persona. Clients chat with it, and Compare can ask it."
      searchLabel="Search by name"
      canChange
      list={(query) => api.chatbots.list(query)}
      onDelete={(id) => api.chatbots.delete(id)}
      details={(chatbot) => detailsOf(chatbot, endpoints)}
      form={(id, onSaved) => (
        <Loaded key={id} load={() => load(id)}>
          {(loaded) => <ChatbotForm {...loaded} onSaved={onSaved} />}
        </Loaded>
      )}
    />
  );
}

function detailsOf({ endpointId, historyLimit, context, ...chatbot }: Chatbot, endpoints: Endpoint[] | null): string {
  const endpoint = endpoints?.find(({ id }) => id === endpointId);
  const isMissing = endpoints !== null && !endpoint;
  return [
    chatbot.description,
    isMissing ? `its endpoint ${endpointId} was deleted` : `asks ${endpoint?.name ?? endpointId}`,
    chatbot.systemPrompt !== undefined && "has a system prompt",
    `up to ${plural(historyLimit, "message")} a call`,
    context && `up to ${plural(context.maxTokens, "token")} a call`,
    chatbot.id,
  ]
    .filter(Boolean)
    .join(" · ");
}
