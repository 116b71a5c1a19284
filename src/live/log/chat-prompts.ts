/** What the chats of a comparison session have sent so far, for their next prompts. Effects: reads the log. */
import * as statements from "./statements.ts";

export class ChatPrompts {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The newest prepared prompts of a chat, newest first. */
  prepared(chatId: string, newest: number): string[] {
    const rows = this.#storage.sql.exec<{ prepared_prompt: string }>(statements.PREPARED_PROMPTS, chatId, newest);
    return rows.toArray().map(({ prepared_prompt }) => prepared_prompt);
  }

  /** The newest prompts of a chat that were answered, as they were sent, each with the reply, oldest first; `null` for all. */
  answered(chatId: string, newest: number | null): { prompt: string; reply: string }[] {
    const rows = this.#storage.sql.exec<{ content: string; prepared_prompt: string }>(
      statements.ANSWERED_PROMPTS,
      chatId,
      newest ?? -1,
    );
    return rows
      .toArray()
      .toReversed()
      .map(({ content, prepared_prompt }) => ({ prompt: prepared_prompt, reply: content }));
  }

  /** How many times a chat has called its endpoint. */
  countCalls(chatId: string): number {
    return this.#storage.sql.exec<{ calls: number }>(statements.COUNT_CALLS, chatId).one().calls;
  }
}
