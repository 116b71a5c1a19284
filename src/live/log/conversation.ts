/** The conversation of a chatbot session so far, for its next turn. Effects: reads the log. */
import type { Session } from "../../core/session.ts";
import type { MessagePlaces } from "./message-places.ts";
import { fromPathRow } from "./message-rows.ts";
import type { PathMessage, PathRow } from "./message-rows.ts";
import * as statements from "./statements.ts";

export class Conversation {
  readonly #storage: DurableObjectStorage;
  readonly #places: MessagePlaces;
  readonly #session: () => Session;

  /** @param session the loaded session */
  constructor(storage: DurableObjectStorage, places: MessagePlaces, session: () => Session) {
    this.#storage = storage;
    this.#places = places;
    this.#session = session;
  }

  /** The newest messages of the active path, oldest first. @param upTo the last message of another path */
  newest(limit: number, upTo?: number): PathMessage[] {
    const found: PathMessage[] = [];
    for (const [from, to] of this.#pathTo(upTo).toReversed()) {
      if (found.length === limit) break;
      const rows = this.#storage.sql.exec(statements.CONVERSATION, from, to, limit - found.length).raw<PathRow>();
      for (const row of rows) found.push(fromPathRow(row));
    }
    return found.toReversed();
  }

  #pathTo(upTo: number | undefined): [from: number, to: number][] {
    const { lastSeq, activePath } = this.#session();
    if (!activePath) return [[1, upTo ?? lastSeq]];
    const path = upTo === undefined ? activePath : this.#places.tree.pathTo(upTo);
    return path.map(([from, to]) => [from, to ?? lastSeq]);
  }
}
