/** What the chats of a comparison session have sent so far, for their next prompts. Effects: reads the log. */
import type { ContextFacts } from "../../core/context.ts";
import { factsAfter } from "../../core/context.ts";
import type { Message, ReplyDetail } from "../../core/message.ts";
import type { AnsweredPrompt } from "../../core/reply.ts";
import type { PastMessages } from "./conversation.ts";
import { fromPathRow } from "./message-rows.ts";
import type { PathMessage, PathRow } from "./message-rows.ts";
import { RecordedConversation } from "./recorded-conversation.ts";
import * as statements from "./statements.ts";

export class ChatPrompts {
  readonly recorded: RecordedConversation;
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.recorded = new RecordedConversation(storage);
    this.#storage = storage;
  }

  /** The newest prepared prompts of a chat, newest first. */
  prepared(chatId: string, newest: number): string[] {
    const rows = this.#storage.sql.exec<{ prepared_prompt: string }>(statements.PREPARED_PROMPTS, chatId, newest);
    return rows.toArray().map(({ prepared_prompt }) => prepared_prompt);
  }

  /**
   * The newest prompts of a chat that were answered, as they were sent, each with the reply, oldest first; `null` for all.
   * Between them, what of a recorded conversation is nobody's answer.
   */
  answered(chatId: string, newest: number | null): AnsweredPrompt[] {
    const rows = this.#storage.sql.exec<Pick<Message, "role" | "content"> & { prepared_prompt: string | null }>(
      statements.ANSWERED_PROMPTS,
      chatId,
      newest ?? -1,
    );
    return rows
      .toArray()
      .toReversed()
      .map(({ role, content, prepared_prompt: prompt }) =>
        prompt === null ? { role, content } : { prompt, reply: content },
      );
  }

  /** The conversation of a chat: the prompts to all chats, and its own messages. @param upTo the last message */
  conversation(chatId: string, upTo: number): PastMessages {
    const { sql } = this.#storage;
    const { messages: count } = sql
      .exec<{ messages: number }>(statements.COUNT_CONVERSATION_OF_CHAT, chatId, upTo)
      .one();
    const has = (seq: number) => seq <= upTo;
    return { count, has, newestFirst: () => this.#newestFirst(chatId, upTo) };
  }

  *#newestFirst(chatId: string, upTo: number): Generator<PathMessage, void> {
    const rows = this.#storage.sql.exec(statements.CONVERSATION_OF_CHAT, chatId, upTo).raw<PathRow>();
    for (const row of rows) yield fromPathRow(row);
  }

  /** What is known of the context of a chatbot's chat from its replies so far. */
  contextFacts(chatId: string): ContextFacts {
    const rows = this.#storage.sql.exec<{ seq: number; reply: string }>(statements.CONTEXTS_OF_CHAT, chatId);
    const known = Array.from(rows, ({ seq, reply }) => ({ seq, reply: JSON.parse(reply) as ReplyDetail }));
    return factsAfter({}, known);
  }

  /** How many times a chat has called its endpoint. */
  countCalls(chatId: string): number {
    return this.#storage.sql.exec<{ calls: number }>(statements.COUNT_CALLS, chatId).one().calls;
  }
}
