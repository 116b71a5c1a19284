/**
 * Where the messages of a chatbot session are in their tree: gives new messages their parents, and finds the active path
 * that follows from them. What a tree is, is in `core/message-tree.ts`. Effects: reads the log.
 */
import type { Message, NewMessage } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { MessageTree, closePath, extendPath } from "../../core/message-tree.ts";
import type { ActivePath, TreeShape } from "../../core/message-tree.ts";
import type { Session } from "../../core/session.ts";
import * as statements from "./statements.ts";

/** Messages with their numbers and parents, and the active path with them. */
interface Placed {
  messages: Message[];
  activePath: ActivePath;
}

export class MessagePlaces {
  readonly #storage: DurableObjectStorage;
  readonly #session: () => Session;
  /** The last message with text; `null` if it has not been looked up. */
  #lastWithText: number | null = null;

  /** @param session the loaded session */
  constructor(storage: DurableObjectStorage, session: () => Session) {
    this.#storage = storage;
    this.#session = session;
  }

  /** Numbers messages that are about to be appended. Those of a comparison session have no parents. */
  place(newMessages: NewMessage[]): Placed {
    const { kind, lastSeq, activePath } = this.#session();
    if (kind === "chatbot") return this.#placeInTree(newMessages);
    return { messages: newMessages.map((message, index) => ({ ...message, seq: lastSeq + 1 + index })), activePath };
  }

  #placeInTree(newMessages: NewMessage[]): Placed {
    let { lastSeq: seq, activePath } = this.#session();
    let { leaf } = this;
    const messages = newMessages.map(({ parentSeq = leaf, ...message }) => {
      seq += 1;
      if (!hasText(message)) {
        activePath &&= closePath(activePath, seq);
        return { ...message, seq, parentSeq };
      }
      if (parentSeq !== leaf) activePath = extendPath(this.tree.pathTo(parentSeq), seq);
      else if (activePath) activePath = extendPath(activePath, seq);
      leaf = seq;
      this.#lastWithText = seq;
      return parentSeq === seq - 1 ? { ...message, seq } : { ...message, seq, parentSeq };
    });
    return { messages, activePath };
  }

  /** The last message of the active path; 0 if there is none. */
  get leaf(): number {
    const last = this.#session().activePath?.at(-1);
    return last?.[1] ?? (this.#lastWithText ??= this.#readLastWithText());
  }

  #readLastWithText(): number {
    return this.#storage.sql.exec<{ seq: number }>(statements.LAST_WITH_TEXT).toArray()[0]?.seq ?? 0;
  }

  /** What is known of the log as a tree, without its texts. */
  get shape(): TreeShape {
    const rows = this.#storage.sql.exec<{ seq: number; parent_seq: number; has_text: number }>(statements.FORKS);
    const forks = Array.from(rows, ({ seq, parent_seq, has_text }): TreeShape["forks"][number] => [
      seq,
      parent_seq,
      has_text === 1,
    ]);
    return { lastSeq: this.#session().lastSeq, forks };
  }

  get tree(): MessageTree {
    return new MessageTree(this.shape);
  }

  /** The `seq` of the message that another follows; 0 for none. */
  parentOf(seq: number): number {
    const row = this.#storage.sql.exec<{ parent_seq: number | null }>(statements.PARENT_OF, seq).toArray()[0];
    return row?.parent_seq ?? seq - 1;
  }

  /** Call it when the log is emptied. */
  forget(): void {
    this.#lastWithText = null;
  }
}
