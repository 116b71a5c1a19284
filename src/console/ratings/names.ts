/** The names of chatbots and clients: ratings have ids only. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";
import { clientTitle } from "../shared/client-select.tsx";

/** Names by id. */
export interface Names {
  chatbots: ReadonlyMap<string, string>;
  clients: ReadonlyMap<string, string>;
}

/** What a list has at most. Others are shown by their id. */
const LIMIT = 100;

export async function loadNames(api: ParleyClient): Promise<Names> {
  const [chatbots, clients] = await Promise.all([
    api.chatbots.list({ limit: LIMIT }),
    api.clients.list({ limit: LIMIT }),
  ]);
  return {
    chatbots: new Map(chatbots.results.map(({ id, name }) => [id, name])),
    clients: new Map(clients.results.map((client) => [client.id, clientTitle(client)])),
  };
}
