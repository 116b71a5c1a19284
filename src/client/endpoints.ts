/** Endpoints, the models that sessions can ask, and the connector types that they can have. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import type * as types from "./types.ts";

export class Endpoints {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  list(options?: CallOptions): Promise<types.Endpoint[]> {
    return this.#connection.call({ method: "GET", path: BASE, ...options });
  }

  get(id: string, options?: CallOptions): Promise<types.Endpoint> {
    return this.#connection.call({ method: "GET", path: pathOf(id), ...options });
  }

  create(endpoint: types.EndpointFields, options?: CallOptions): Promise<types.CreatedEndpoint> {
    return this.#connection.call({ method: "POST", path: BASE, body: endpoint, ...options });
  }

  async update(id: string, changes: types.EndpointChanges, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "PUT", path: pathOf(id), body: changes, ...options });
  }

  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: pathOf(id), ...options });
  }

  /** Asks an endpoint once. It is never asked again by itself. */
  test(id: string, options?: CallOptions): Promise<types.EndpointTest> {
    return this.#connection.call({ method: "POST", path: `${pathOf(id)}/test`, repeats: "never", ...options });
  }

  /** @returns the connector types, with the fields that an endpoint of each needs */
  connectors(options?: CallOptions): Promise<types.Connector[]> {
    return this.#connection.call({ method: "GET", path: "/v1/connectors", query: { include: "fields" }, ...options });
  }
}

const BASE = "/v1/llm_endpoints";

const pathOf = (id: string): string => `${BASE}/${encodeURIComponent(id)}`;
