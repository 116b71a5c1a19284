/** Clients: the people whom chatbots serve. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import { itemOf, pageOf } from "./envelope.ts";
import type { Page } from "./envelope.ts";
import type * as types from "./types.ts";

export class Clients {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  create(client: types.ClientFields, options?: CallOptions): Promise<types.Client> {
    return itemOf(this.#connection, { method: "POST", path: BASE, body: client, ...options });
  }

  list(query?: types.ClientQuery, options?: CallOptions): Promise<Page<types.Client>> {
    return pageOf(this.#connection, BASE, query, options);
  }

  get(id: string, options?: CallOptions): Promise<types.Client> {
    return itemOf(this.#connection, { method: "GET", path: pathOf(id), ...options });
  }

  update(id: string, changes: types.ClientChanges, options?: CallOptions): Promise<types.Client> {
    return itemOf(this.#connection, { method: "PUT", path: pathOf(id), body: changes, ...options });
  }

  /** Creates the client with your own id, or changes what is given of it. */
  putByExternalId(externalId: string, fields: types.ClientChanges, options?: CallOptions): Promise<types.Client> {
    const path = `${BASE}/by-external-id/${encodeURIComponent(externalId)}`;
    return itemOf(this.#connection, { method: "PUT", path, body: fields, ...options });
  }

  /** Revokes the client's keys, too. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: pathOf(id), ...options });
  }

  /** @returns statistics of all its sessions */
  statistics(id: string, query?: types.StatisticsQuery, options?: CallOptions): Promise<types.ConversationStatistics> {
    return itemOf(this.#connection, { method: "GET", path: `${pathOf(id)}/stats`, query, ...options });
  }
}

const BASE = "/clients";

const pathOf = (id: string): string => `${BASE}/${encodeURIComponent(id)}`;
