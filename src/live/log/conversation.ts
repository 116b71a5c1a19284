/**
 * The conversation of a chatbot session so far, for its next turn. Which part of it a call sends is decided in `turns/`.
 * Effects: reads the log.
 */
import type { SummaryRecord } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { fromSaidRow } from "./message-rows.ts";
import type { SaidMessage, SaidRow } from "./message-rows.ts";
import * as statements from "./statements.ts";

/** The messages with text before a prompt. They are read as far as they are taken: a log can be long. */
export interface PastMessages {
  count: number;
  /** Whether it has the message. */
  has: (seq: number) => boolean;
  /** Each call begins anew. */
  newestFirst: () => Generator<SaidMessage, void>;
}

export class Conversation {
  readonly #storage: DurableObjectStorage;
  readonly #session: () => Session;

  /** @param session the loaded session */
  constructor(storage: DurableObjectStorage, session: () => Session) {
    this.#storage = storage;
    this.#session = session;
  }

  /** @param upTo the `seq` of the last message; `null` for all that there are */
  upTo(upTo: number | null): PastMessages {
    const { lastSeq, messageCount } = this.#session();
    const last = upTo ?? lastSeq;
    return {
      count: messageCount - (last < lastSeq ? this.#countAfter(last) : 0),
      has: (seq) => seq <= last,
      newestFirst: () => this.#newestFirst(last),
    };
  }

  *#newestFirst(upTo: number): Generator<SaidMessage, void> {
    const rows = this.#storage.sql.exec(statements.CONVERSATION, upTo).raw<SaidRow>();
    for (const row of rows) yield fromSaidRow(row);
  }

  #countAfter(seq: number): number {
    return this.#storage.sql.exec<{ messages: number }>(statements.COUNT_WITH_TEXT_AFTER, seq).one().messages;
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
