/** What can be compared: endpoints, and chatbots, which stand for an endpoint with their own way to ask it. */
import type { ParleyClient } from "../../../client/index.ts";
import type { Endpoint } from "../../../client/types.ts";
import { listAll } from "../../shared/list-all.ts";

export interface Choice {
  /** As a comparison takes it. */
  id: string;
  name: string;
  /** Which model it is, or that it is a chatbot. */
  detail: string;
  prices: Endpoint["prices"];
}

/** @returns endpoints, then chatbots */
export async function listChoices(api: ParleyClient): Promise<Choice[]> {
  const [endpoints, chatbots] = await Promise.all([api.endpoints.list(), listAll((query) => api.chatbots.list(query))]);
  return [
    ...endpoints.map(({ id, name, model, connector_type: type, prices }) => ({
      id,
      name,
      detail: model || type.replace(/-connector$/, ""),
      prices,
    })),
    ...chatbots.map(({ id, name, endpointId }) => ({
      id: `chatbot:${id}`,
      name,
      detail: "chatbot",
      prices: endpoints.find((endpoint) => endpoint.id === endpointId)?.prices ?? null,
    })),
  ];
}
