import type { Message } from "../../../core/message.ts";
import type { Chat } from "../../../core/session.ts";
import { messagesOf } from "../../http/open-log.ts";
import type { OpenLog } from "../../http/open-log.ts";
import { recordNumber } from "./records.ts";
import type { RecordSource } from "./records.ts";

/** How much text of a turn is held while its replies are put in order, in UTF-16 code units. What is beyond is read again. */
const BUFFERED_CHARACTERS = 8_000_000;

/** An answer of a chat, with what its record is made of. */
export interface ChatAnswer extends RecordSource {
  chat: Chat;
}

/** A reply in a turn, and where its chat stands in the session. */
interface ReplyInTurn {
  index: number;
  seq: number;
  /** `null` for one that is not held. */
  message: Message | null;
}

/**
 * Every answer of a comparison session: turn by turn, and in each by chat in the session's order, whichever came first.
 * Holds one turn at a time, and of a huge one only a part.
 */
export async function* answersOf(log: OpenLog): AsyncGenerator<ChatAnswer, void> {
  for await (const { prompt, replies } of turnsOf(log)) {
    for (const { index, seq, message } of replies.toSorted((a, b) => a.index - b.index)) {
      const { content, reply } = message ?? (await log.page(seq - 1, 1))[0] ?? {};
      const chat = log.session.chats[index];
      if (!reply || !chat || content === undefined) throw new Error(`Message ${seq} is not in the log any more`);
      yield { chat, reply, content, prompt, number: recordNumber(log.session, prompt) };
    }
  }
}

/** Turns run one at a time, so that the log has each in one piece, its prompt first. */
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
  readonly replies: ReplyInTurn[] = [];
  #held = 0;

  constructor(prompt: Message) {
    this.prompt = prompt;
  }

  add(message: Message, index: number): void {
    const { content, reply, seq } = message;
    this.#held += content.length + (reply?.preparedPrompt.length ?? 0) + (reply?.receipt?.body?.length ?? 0);
    this.replies.push({ index, seq, message: this.#held > BUFFERED_CHARACTERS ? null : message });
  }
}
