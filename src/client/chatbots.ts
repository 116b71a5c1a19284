/** Chatbots: endpoints with a persona. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import { itemOf, pageOf } from "./envelope.ts";
import type { Page } from "./envelope.ts";
import type * as types from "./types.ts";

export class Chatbots {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  create(chatbot: types.ChatbotFields, options?: CallOptions): Promise<types.Chatbot> {
    return itemOf(this.#connection, { method: "POST", path: BASE, body: chatbot, ...options });
  }

  list(query?: types.ChatbotQuery, options?: CallOptions): Promise<Page<types.Chatbot>> {
    return pageOf(this.#connection, BASE, query, options);
  }

  get(id: string, options?: CallOptions): Promise<types.Chatbot> {
    return itemOf(this.#connection, { method: "GET", path: pathOf(id), ...options });
  }

  update(id: string, changes: types.ChatbotChanges, options?: CallOptions): Promise<types.Chatbot> {
    return itemOf(this.#connection, { method: "PUT", path: pathOf(id), body: changes, ...options });
  }

  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: pathOf(id), ...options });
  }

  /** @returns statistics of all its sessions */
  statistics(id: string, query?: types.StatisticsQuery, options?: CallOptions): Promise<types.ConversationStatistics> {
    return itemOf(this.#connection, { method: "GET", path: `${pathOf(id)}/stats`, query, ...options });
  }
}

const BASE = "/chatbots";

const pathOf = (id: string): string => `${BASE}/${encodeURIComponent(id)}`;
