/** Writes a long log straight into D1, for tests that need more messages than they can send. */
import { env } from "cloudflare:workers";
import type { Message, ReplyDetail } from "../../src/core/message.ts";
import { database } from "../../src/store/database.ts";
import { keyOf, numberOf } from "../../src/store/message-keys.ts";
import { insertMessages } from "../../src/store/message-rows.ts";
import { makeReplyDetail } from "./replies.ts";

/** A reply of one chat. */
export interface LoggedReply {
  chatId: string;
  content: string;
  reply?: Partial<ReplyDetail>;
}

/** A turn: the prompt, and its replies in the order of the log. */
export interface LoggedTurn {
  prompt: string;
  replies: LoggedReply[];
}

/**
 * Writes short messages of a user straight into D1, as many as SQLite makes in a moment.
 *
 * @param text SQL for the text of the message `i`, with values from `?4` on
 */
export async function fillLog(id: string, from: number, to: number, text: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT CAST(?2 AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
     INSERT INTO messages (key, chat_id, role, created_at, appended_at, content)
     SELECT ${keyOf(numberOf("?1"), "i")}, ?1, 'user', 1, 1, ${text} FROM n`,
  )
    .bind(id, from, to, ...values)
    .run();
}

/** Statements per batch. */
const AT_ONCE = 50;

/** Writes a session's log directly to D1. Until its object is first used, that is where the log is. */
export async function writeLog(sessionId: string, turns: LoggedTurn[]): Promise<void> {
  let seq = 0;
  const log = turns.flatMap(({ prompt, replies }, turn): Message[] => {
    const common = { turnId: `turn-${turn}`, turnNumber: turn + 1, createdAt: 1_710_448_307_000 + turn };
    return [
      { ...common, seq: (seq += 1), chatId: null, role: "user", content: prompt, reply: null },
      ...replies.map(({ chatId, content, reply }) => ({
        ...common,
        seq: (seq += 1),
        chatId,
        role: "assistant" as const,
        content,
        reply: makeReplyDetail({ preparedPrompt: prompt, ...reply }),
      })),
    ];
  });
  const statements = insertMessages(database(env.DB), sessionId, log, 1_710_448_307_000);
  for (let start = 0; start < statements.length; start += AT_ONCE) {
    await env.DB.batch(statements.slice(start, start + AT_ONCE));
  }
}
