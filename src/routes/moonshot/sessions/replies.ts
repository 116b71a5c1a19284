/**
 * Reads every reply of a comparison session from its log: turn by turn, and in each turn in the order of the session's
 * chats. Only one turn is in memory at a time, and of a very large one only a part. Effects: reads pages of the log.
 */
import type { Message } from "../../../core/message.ts";
import type { Chat } from "../../../core/session.ts";
import { messagesOf } from "../../../live/read-session.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import type { RecordSource } from "./records.ts";

/**
 * How much text of a turn to buffer while its replies are sorted, in UTF-16 code units. Further replies are read again
 * later.
 */
const BUFFERED_CHARACTERS = 500_000;

/** A reply, with its chat and what its record needs. */
export interface ChatReply extends RecordSource {
  chat: Chat;
}

/** A reply of a turn, and the position of its chat in the session. */
interface BufferedReply {
  index: number;
  seq: number;
  /** `null` when it is not buffered. */
  message: Message | null;
}

export async function* repliesOf(log: OpenLog): AsyncGenerator<ChatReply, void> {
  for await (const { prompt, replies } of turnsOf(log)) {
    for (const { index, seq, message } of replies.toSorted((a, b) => a.index - b.index)) {
      const { content, reply } = message ?? (await log.page(seq - 1, 1)).items[0] ?? {};
      const chat = log.session.chats[index];
      if (!reply || !chat || content === undefined) throw new Error(`Message ${seq} is no longer in the log`);
      yield { chat, reply, content, prompt, number: prompt.turnNumber ?? 0 };
    }
  }
}

/** Turns run one at a time, so the messages of a turn follow each other in the log, the prompt first. */
async function* turnsOf(log: OpenLog): AsyncGenerator<TurnBuffer, void> {
  const indexes = new Map(log.session.chats.map(({ chatId }, index) => [chatId, index]));
  let turn: TurnBuffer | null = null;
  for await (const message of messagesOf(log)) {
    const index = indexes.get(message.chatId ?? "");
    if (message.role === "user") {
      if (turn) yield turn;
      turn = new TurnBuffer(message);
    } else if (turn && message.turnId === turn.prompt.turnId && index !== undefined) {
      turn.add(message, index);
    }
  }
  if (turn) yield turn;
}

class TurnBuffer {
  readonly prompt: Message;
  readonly replies: BufferedReply[] = [];
  #buffered = 0;

  constructor(prompt: Message) {
    this.prompt = prompt;
  }

  add(message: Message, index: number): void {
    const { content, reply, seq } = message;
    this.#buffered += content.length + (reply?.preparedPrompt.length ?? 0) + (reply?.receipt?.body?.length ?? 0);
    this.replies.push({ index, seq, message: this.#buffered > BUFFERED_CHARACTERS ? null : message });
  }
}
