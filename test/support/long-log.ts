/** Writes a long log straight into D1, for tests that need more messages than they can send. */
import { env } from "cloudflare:workers";
import type { Message, ReplyDetail } from "../../src/core/message.ts";
import { database } from "../../src/store/database.ts";
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
