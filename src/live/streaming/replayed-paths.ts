/**
 * The changes of the active path in a replay, where live followers got them: behind a message that does not follow
 * the one with text before it, and at the end, if the path was set to another one since. Pure.
 */
import type { Message } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { parentOf, seqsOfPath } from "../../core/message-tree.ts";
import type { ActivePath, MessageTree } from "../../core/message-tree.ts";
import type { Session } from "../../core/session.ts";
import { messageAppended, pathChanged } from "./events.ts";
import type { SessionEvent } from "./events.ts";

type Branched = Pick<Session, "kind" | "activePath" | "lastSeq">;

export class ReplayedPaths {
  readonly #kind: Session["kind"];
  readonly #readTree: (() => MessageTree) | null;
  #leaf: number;

  /**
   * @param readTree the tree of the log as it is then; not called for a session without variants
   * @param after the last message that the reader has; `null` for all
   */
  constructor({ kind, activePath }: Branched, readTree: () => MessageTree, after: number | null) {
    this.#kind = kind;
    this.#readTree = activePath ? readTree : null;
    this.#leaf = activePath ? readTree().lastWithText(after ?? Infinity) : 0;
  }

  /** The events of messages, without those of their turns. */
  eventsOf(messages: Message[]): SessionEvent[] {
    const tree = this.#readTree?.() ?? null;
    return messages.flatMap((message) => {
      const appended = messageAppended(message, this.#kind);
      if (!tree || !hasText(message)) return [appended];
      const isJump = parentOf(message) !== this.#leaf;
      this.#leaf = message.seq;
      return isJump ? [appended, pathChanged(seqsOfPath(tree.pathTo(message.seq), message.seq))] : [appended];
    });
  }

  /** What a reader does not know of the active path when it has all messages. */
  lastEvents({ activePath, lastSeq }: { activePath: ActivePath; lastSeq: number }): SessionEvent[] {
    const seqs = activePath ? seqsOfPath(activePath, lastSeq) : [];
    return this.#readTree === null || seqs.at(-1) === this.#leaf ? [] : [pathChanged(seqs)];
  }
}
