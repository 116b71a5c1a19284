/** Bookmarks: copies of the records of comparisons, by name. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import type { Bookmark, BookmarkFields } from "./types.ts";

export class Bookmarks {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  list(options?: CallOptions): Promise<Bookmark[]> {
    return this.#connection.call({ method: "GET", path: BASE, ...options });
  }

  get(name: string, options?: CallOptions): Promise<Bookmark> {
    return this.#connection.call({ method: "GET", path: pathOf(name), ...options });
  }

  async create(bookmark: BookmarkFields, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "POST", path: BASE, body: bookmark, ...options });
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: pathOf(name), ...options });
  }
}

const BASE = "/v1/bookmarks";

const pathOf = (name: string): string => `${BASE}/${encodeURIComponent(name)}`;
