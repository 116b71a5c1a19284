import type { Message, NewMessage } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { fanOut } from "../../turn/fan-out.ts";
import type { Reply, ChatTask } from "../../turn/fan-out.ts";
import { callEndpoints } from "./call-endpoints.ts";
import { replyEnd, turnStatus } from "../streaming/events.ts";
import type { StreamEvent, TurnStatus } from "../streaming/events.ts";
import type { Log } from "../log/log.ts";
import type { Prompt } from "./plan-turn.ts";
import { promptMessage, replyMessage } from "./turn-messages.ts";

/** How long a reply that has ended waits for others, to be written with them, in milliseconds. A commit costs as much as a call. */
const TOGETHER_MS = 10;

/** How often what a reply says so far is kept, in milliseconds, unless it grows faster than by so many characters. */
const KEEP_EVERY_MS = 1_000;
const KEEP_EVERY_CHARACTERS = 4_096;

export interface TurnPorts {
  log: Log;
  /** Appends to the log, and tells those who follow. */
  append: (messages: NewMessage[]) => Message[];
  emit: (event: StreamEvent) => void;
}

/** What a turn brought. */
export interface TurnResult {
  added: Message[];
  /** The longest that a provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** A prompt that was accepted: it waits, or runs. It can be stopped either way. */
export class Turn {
  readonly turnId: string;
  readonly #whole = new AbortController();
  readonly #chats = new Map<string, AbortController>();

  constructor(turnId: string) {
    this.turnId = turnId;
  }

  get stopped(): boolean {
    return this.#whole.signal.aborted;
  }

  /** @param chatId the one chat to stop, or `null` for all of them */
  stop(chatId: string | null): void {
    if (chatId === null) this.#whole.abort();
    else this.#ofChat(chatId).abort();
  }

  signalOf(chatId: string): AbortSignal {
    return AbortSignal.any([this.#whole.signal, this.#ofChat(chatId).signal]);
  }

  #ofChat(chatId: string): AbortController {
    const known = this.#chats.get(chatId) ?? new AbortController();
    this.#chats.set(chatId, known);
    return known;
  }
}

/** What a reply under way says so far, and how much of it is kept. */
interface Draft {
  text: string;
  kept: number;
  keptAt: EpochMs;
}

/** A turn from the prompt's place in the log to its last reply's. */
export class TurnRunner {
  readonly #turn: Turn;
  readonly #session: Session;
  readonly #ports: TurnPorts;
  readonly #drafts = new Map<string, Draft>();
  readonly #added: Message[] = [];
  #settled: Reply[] = [];

  constructor(turn: Turn, session: Session, ports: TurnPorts) {
    this.#turn = turn;
    this.#session = session;
    this.#ports = ports;
  }

  /** What someone who comes in now has missed of the replies under way. */
  soFar(): StreamEvent[] {
    const { turnId } = this.#turn;
    return [...this.#drafts].flatMap(([chatId, { text }]): StreamEvent[] => [
      { type: "reply-start", turnId, chatId },
      ...(text === "" ? [] : [{ type: "reply-delta" as const, turnId, chatId, offset: 0, text }]),
    ]);
  }

  async run(shares: ChatTask[], prompt: Prompt): Promise<TurnResult> {
    const { turnId } = this.#turn;
    const { log, emit } = this.#ports;
    const chatIds = this.#session.chats.map(({ chatId }) => chatId);
    log.noteTurn({ turnId, chatIds });
    emit({ type: "turn-started", turnId, chatIds });
    if (prompt.seq === null) this.#append([promptMessage(this.#session, turnId, prompt.content, now())]);
    for (const chatId of chatIds) {
      this.#drafts.set(chatId, { text: "", kept: 0, keptAt: now() });
      emit({ type: "reply-start", turnId, chatId });
    }
    const replies = await fanOut(shares, {
      callEndpoints,
      clock: now,
      signalOf: (chatId) => this.#turn.signalOf(chatId),
      onText: (chatId, text) => this.#say(chatId, text),
      onReply: (reply) => {
        const first = this.#settled.push(reply) === 1;
        if (first && this.#drafts.size > 1) setTimeout(() => this.#write(), TOGETHER_MS);
      },
    });
    this.#write();
    log.noteTurn(null);
    emit({ type: "turn-ended", turnId, status: this.#statusOf(replies) });
    return { added: this.#added, retryAfterSeconds: longestWait(replies) };
  }

  #say(chatId: string, text: string): void {
    const draft = this.#drafts.get(chatId);
    if (!draft) return;
    const { turnId } = this.#turn;
    this.#ports.emit({ type: "reply-delta", turnId, chatId, offset: draft.text.length, text });
    draft.text += text;
    if (draft.text.length - draft.kept < KEEP_EVERY_CHARACTERS && now() - draft.keptAt < KEEP_EVERY_MS) return;
    this.#ports.log.saveDraft(chatId, draft.text);
    draft.kept = draft.text.length;
    draft.keptAt = now();
  }

  #write(): void {
    const replies = this.#settled;
    this.#settled = [];
    if (replies.length === 0) return;
    for (const { chatId } of replies) this.#drafts.delete(chatId);
    this.#append(replies.map((reply) => replyMessage(this.#turn.turnId, reply, now())));
  }

  #append(messages: NewMessage[]): void {
    this.#added.push(...this.#ports.append(messages));
  }

  #statusOf(replies: Reply[]): TurnStatus {
    return this.#turn.stopped ? "cancelled" : turnStatus(replies.map(({ detail }) => detail.status));
  }
}

/** What is told of a message that was appended: a reply's end right behind it. */
export const eventsOf = (message: Message, appended: StreamEvent): StreamEvent[] =>
  message.reply && message.turnId !== null ? [appended, replyEnd(message.turnId, message)] : [appended];

function longestWait(replies: Reply[]): number | null {
  const waits = replies.flatMap(({ retryAfterSeconds }) => (retryAfterSeconds === null ? [] : [retryAfterSeconds]));
  return waits.length > 0 ? Math.max(...waits) : null;
}
