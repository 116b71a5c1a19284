/** API keys. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import { itemOf } from "./envelope.ts";
import type { Key, KeyFields, KeyQuery, NewKey } from "./types.ts";

export class Keys {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The only answer that has the token. It is never repeated by itself: that would make two keys. */
  create(key: KeyFields, options?: CallOptions): Promise<NewKey> {
    return itemOf(this.#connection, { method: "POST", path: BASE, body: key, repeats: "never", ...options });
  }

  /** @returns the newest ones, up to 1,000 */
  list(query?: KeyQuery, options?: CallOptions): Promise<Key[]> {
    return itemOf(this.#connection, { method: "GET", path: BASE, query: { ...query }, ...options });
  }

  /** Revokes a key. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: `${BASE}/${encodeURIComponent(id)}`, ...options });
  }
}

const BASE = "/keys";
