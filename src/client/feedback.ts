/** Feedback on messages, over all sessions. A single one is given in `sessions.ts`. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import { pageOf } from "./envelope.ts";
import type { Page } from "./envelope.ts";
import type { FeedbackQuery, ListedFeedback } from "./types.ts";

export class Feedback {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @returns a page, the newest change first */
  list(query?: FeedbackQuery, options?: CallOptions): Promise<Page<ListedFeedback>> {
    return pageOf(this.#connection, "/feedback", query, options);
  }
}
