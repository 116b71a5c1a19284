/**
 * Reads every reply of a session from its log: turn by turn, and in each turn in the order of the session's chats. Only
 * one turn is in memory at a time, and of a very large one only a part. Effects: reads pages of the log.
 */
import type { Message, ReplyDetail } from "../../core/message.ts";
import type { Chat } from "../../core/session.ts";
import { messagesOf } from "../../live/read-session.ts";
import type { OpenLog } from "../../live/read-session.ts";

/**
 * How much text of a turn to buffer while its replies are sorted, in UTF-16 code units. Further replies are read again
 * later.
 */
const BUFFERED_CHARACTERS = 500_000;

/** A reply of a session's log. */
export interface LoggedReply {
  chat: Chat;
  /** The position of its chat in the session. */
  chatIndex: number;
  /** `null` if an earlier turn, which failed, has the prompt: a repeated call runs it again in a new turn. */
  prompt: Message | null;
  message: Message;
  reply: ReplyDetail;
}

export async function* repliesOf(log: OpenLog): AsyncGenerator<LoggedReply, void> {
  for await (const { prompt, replies } of turnsOf(log)) {
    for (const { chatIndex, seq, message: buffered } of replies.toSorted((a, b) => a.chatIndex - b.chatIndex)) {
      const message = buffered ?? (await log.page(seq - 1, 1)).items[0];
      const chat = log.session.chats[chatIndex];
      if (!message?.reply || !chat) throw new Error(`Message ${seq} is no longer in the log`);
      yield { chat, chatIndex, prompt, message, reply: message.reply };
    }
  }
}

/** A reply of a turn. */
interface BufferedReply {
  chatIndex: number;
  seq: number;
  /** `null` when it is not buffered. */
  message: Message | null;
}

/** Turns run one at a time, so the messages of a turn come before those of the next, the prompt first. */
async function* turnsOf(log: OpenLog): AsyncGenerator<TurnBuffer, void> {
  const indexes = new Map(log.session.chats.map(({ chatId }, index) => [chatId, index]));
  let turn: TurnBuffer | null = null;
  for await (const message of messagesOf(log, { ofTurns: true })) {
    // The archive, and an object of an earlier release, read all messages.
    if (message.turnId === null) continue;
    if (turn?.turnId !== message.turnId) {
      if (turn) yield turn;
      turn = new TurnBuffer(message.turnId);
    }
    const chatIndex = indexes.get(message.chatId ?? "");
    if (message.reply === null) turn.prompt = message;
    else if (chatIndex !== undefined) turn.add(message, chatIndex);
  }
  if (turn) yield turn;
}

class TurnBuffer {
  readonly turnId: string;
  prompt: Message | null = null;
  readonly replies: BufferedReply[] = [];
  #buffered = 0;

  constructor(turnId: string) {
    this.turnId = turnId;
  }

  add(message: Message, chatIndex: number): void {
    const { content, reply, seq } = message;
    this.#buffered += content.length + (reply?.preparedPrompt.length ?? 0) + (reply?.receipt?.body?.length ?? 0);
    this.replies.push({ chatIndex, seq, message: this.#buffered > BUFFERED_CHARACTERS ? null : message });
  }
}
