/**
 * The conversation of a chatbot session so far, for its next turn. Which part of it a call sends is decided in `turns/`.
 * Effects: reads the log.
 */
import type { PathMessage as ComparedMessage } from "../../core/continuation.ts";
import type { AdoptedAuthor, Message, Role, SummaryRecord } from "../../core/message.ts";
import { isOnPath, lengthOfPath } from "../../core/message-tree.ts";
import type { PathRange } from "../../core/message-tree.ts";
import type { ModelMessage } from "../../core/reply.ts";
import type { Session } from "../../core/session.ts";
import type { MessagePlaces } from "./message-places.ts";
import { fromPathRow } from "./message-rows.ts";
import type { PathMessage, PathRow } from "./message-rows.ts";
import * as statements from "./statements.ts";

/** The messages before a prompt. They are read as far as they are taken: a log can be long. */
export interface PastMessages {
  count: number;
  /** Whether it has the message. */
  has: (seq: number) => boolean;
  /** Each call begins again with the newest. */
  newestFirst: () => Generator<PathMessage, void>;
}

/** Of a reply, whether it was cut; `null` for any other message. */
type ComparedRow = [seq: number, role: Role, content: string, isCut: number | null];

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

  /** The messages of the active path. @param upTo the last message of another path */
  upTo(upTo?: number): PastMessages {
    const { lastSeq, messageCount, activePath } = this.#session();
    if (activePath) {
      const path = upTo === undefined ? activePath : this.#places.tree.pathTo(upTo);
      return this.#past(path, lastSeq, lengthOfPath(path, lastSeq));
    }
    const last = upTo ?? lastSeq;
    return this.#past([[1, last]], lastSeq, messageCount - (last < lastSeq ? this.#countAfter(last) : 0));
  }

  /** As {@link upTo}, but without a prompt and the replies to it, if all of them failed. */
  withoutFailed({ seq, turnId }: Pick<Message, "seq" | "turnId">, upTo?: number): PastMessages {
    const path = this.upTo(upTo);
    const replies = this.#storage.sql.exec<{ seq: number; status: string }>(statements.REPLIES_TO, seq, seq, turnId);
    const onPath = replies.toArray().filter((reply) => path.has(reply.seq));
    if (onPath.some(({ status }) => status !== "error")) return path;
    const left = new Set([seq, ...onPath.map((reply) => reply.seq)]);
    return {
      count: path.count - left.size,
      has: (other) => !left.has(other) && path.has(other),
      *newestFirst() {
        for (const message of path.newestFirst()) if (!left.has(message.seq)) yield message;
      },
    };
  }

  /** Messages, and those that are about to be appended behind them. */
  followedBy(past: PastMessages, messages: ModelMessage[]): PastMessages {
    const { lastSeq } = this.#session();
    const added = messages.map(({ role, content }, index) => ({ seq: lastSeq + 1 + index, role, content }));
    return {
      count: past.count + added.length,
      has: (seq) => seq > lastSeq || past.has(seq),
      *newestFirst() {
        yield* added.toReversed();
        yield* past.newestFirst();
      },
    };
  }

  /** The messages of the active path from its start, read as far as they are taken, before anything is appended. */
  *oldestFirst(): Generator<ComparedMessage, void> {
    const { lastSeq, activePath } = this.#session();
    for (const [from, to] of activePath ?? [[1, lastSeq]]) {
      const rows = this.#storage.sql.exec(statements.CONVERSATION_FROM_START, from, to ?? lastSeq).raw<ComparedRow>();
      for (const [seq, role, content, isCut] of rows) yield { seq, role, content, isCut: isCut === 1 };
    }
  }

  /** @param lastSeq what is appended later does not belong to it */
  #past(path: PathRange[], lastSeq: number, count: number): PastMessages {
    return {
      count,
      has: (seq) => isOnPath(path, seq),
      newestFirst: () => this.#newestFirst(path, lastSeq),
    };
  }

  *#newestFirst(path: PathRange[], lastSeq: number): Generator<PathMessage, void> {
    for (const [from, to] of path.toReversed()) {
      const rows = this.#storage.sql.exec(statements.CONVERSATION, from, to ?? lastSeq).raw<PathRow>();
      for (const row of rows) yield fromPathRow(row);
    }
  }

  #countAfter(seq: number): number {
    return this.#storage.sql.exec<{ messages: number }>(statements.COUNT_WITH_TEXT_AFTER, seq).one().messages;
  }

  /** The message that was adopted from a record of a comparison session, by its `seq`. Reads the whole log. */
  findAdopted({ sessionId, chatId, chatRecordId }: AdoptedAuthor): number | null {
    const rows = this.#storage.sql.exec<{ seq: number }>(statements.FIND_ADOPTED, sessionId, chatId, chatRecordId);
    return rows.toArray()[0]?.seq ?? null;
  }

  /** The summary that was made for a reply; `null` if there is none. */
  summaryOf(seq: number): Pick<SummaryRecord, "text" | "upTo" | "previousSeq"> | null {
    const rows = this.#storage.sql.exec<{ text: string; upTo: number; previousSeq: number }>(
      statements.READ_SUMMARY,
      seq,
    );
    return rows.toArray()[0] ?? null;
  }
}
