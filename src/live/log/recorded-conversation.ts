/**
 * The recorded conversation of a comparison session that was made from a chat session, and how much of it was put. It is a
 * copy, in messages of a chat of its own. Effects: reads the log.
 */
import { RECORDED_CHAT, recordedTurn } from "../../core/bridge.ts";
import type { Bridge, RecordedMessage, RecordedTurn } from "../../core/bridge.ts";
import type { PastMessages } from "./conversation.ts";
import { fromPathRow } from "./message-rows.ts";
import type { PathMessage, PathRow } from "./message-rows.ts";
import * as statements from "./statements.ts";

export class RecordedConversation {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** How many of its turns were put: each has left a reply in the recorded chat. */
  get turnsPut(): number {
    return this.#storage.sql.exec<{ replies: number }>(statements.COUNT_REPLIES, RECORDED_CHAT).one().replies;
  }

  /** A turn by its number. @throws if there is none */
  turn(bridge: Bridge, number: number): RecordedTurn {
    const [seq, next = Infinity] = [this.#promptSeq(number), this.#promptSeq(number + 1)];
    const previous = number === 1 ? 0 : (this.#promptSeq(number - 1) ?? 0);
    if (seq === undefined) throw new Error(`The recorded conversation has no turn ${number}`);
    const [prompt] = this.#between(seq - 1, seq + 1);
    if (!prompt) throw new Error(`Message ${seq} is no longer in the log`);
    return recordedTurn(bridge, number, prompt, {
      before: this.#between(previous, seq),
      after: this.#between(seq, next),
    });
  }

  /** The conversation before a message. */
  before(seq: number): PastMessages {
    const { messages: count } = this.#storage.sql
      .exec<{ messages: number }>(statements.COUNT_RECORDED_BEFORE, seq)
      .one();
    return { count, has: (other) => other < seq, newestFirst: () => this.#newestFirst(seq) };
  }

  *#newestFirst(seq: number): Generator<PathMessage, void> {
    for (const row of this.#storage.sql.exec(statements.RECORDED_BEFORE, seq).raw<PathRow>()) yield fromPathRow(row);
  }

  #promptSeq(number: number): number | undefined {
    return this.#storage.sql.exec<{ seq: number }>(statements.RECORDED_PROMPT_SEQ, number - 1).toArray()[0]?.seq;
  }

  #between(after: number, before: number): RecordedMessage[] {
    const upTo = Math.min(before, Number.MAX_SAFE_INTEGER);
    return Array.from(this.#storage.sql.exec(statements.RECORDED_BETWEEN, after, upTo).raw<PathRow>(), fromPathRow);
  }
}
