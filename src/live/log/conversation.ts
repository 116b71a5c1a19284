/**
 * Reads what calls send of the log: messages with text, summaries, prompts as they were sent. Which of them a call sends
 * is decided in `turns/`. Effects: reads storage.
 */
import type { SummaryRecord } from "../../core/message.ts";
import { fromSaidRow } from "./message-rows.ts";
import type { SaidMessage, SaidRow } from "./message-rows.ts";
import * as statements from "./statements.ts";

export class Conversation {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Reads no more messages than are taken. @param upTo the `seq` of the first to include */
  *newestFirst(upTo: number): Generator<SaidMessage, void> {
    const rows = this.#storage.sql.exec(statements.SAID_NEWEST_FIRST, upTo).raw<SaidRow>();
    for (const row of rows) yield fromSaidRow(row);
  }

  countAfter(seq: number): number {
    return this.#storage.sql.exec<{ messages: number }>(statements.COUNT_SAID_AFTER, seq).one().messages;
  }

  /** The summary that was made for a reply; `null` if there is none. */
  summaryOf(seq: number): Pick<SummaryRecord, "text" | "upTo"> | null {
    return this.#storage.sql.exec<{ text: string; upTo: number }>(statements.READ_SUMMARY, seq).toArray()[0] ?? null;
  }

  /** The newest prepared prompts of a chat, newest first. */
  preparedPrompts(chatId: string, newest: number): string[] {
    const rows = this.#storage.sql.exec<{ prepared_prompt: string }>(statements.PREPARED_PROMPTS, chatId, newest);
    return rows.toArray().map(({ prepared_prompt }) => prepared_prompt);
  }

  /** The prompts of a chat that were answered, as they were sent, each with the reply, oldest first. */
  answeredPrompts(chatId: string): { prompt: string; reply: string }[] {
    const rows = this.#storage.sql.exec<{ content: string; prepared_prompt: string }>(
      statements.ANSWERED_PROMPTS,
      chatId,
    );
    return rows.toArray().map(({ content, prepared_prompt }) => ({ prompt: prepared_prompt, reply: content }));
  }
}
