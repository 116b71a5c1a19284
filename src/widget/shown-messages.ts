/** The messages that the widget shows, kept up to date by the events of the session. Pure. */
import type { LoggedMessage, StreamEvent } from "../client/types.ts";

export interface ShownMessage {
  /** `null` until it is in the log. */
  seq: number | null;
  role: "user" | "assistant";
  text: string;
  /** The person who wrote it, for an answer that is not the chatbot's. */
  author: string | null;
  state: "sending" | "streaming" | "done" | "stopped" | "failed";
  /** Why it failed, in words for the person who reads it. */
  failure: string | null;
  /** `null` for none; `undefined` for a message that cannot be rated. */
  rating: 1 | -1 | null | undefined;
}

type EventOf<T extends StreamEvent["type"]> = Extract<StreamEvent, { type: T }>;

const STATES = { ok: "done", cancelled: "stopped", error: "failed" } as const;

const FAILED = "The answer failed. Please try again.";

export class ShownMessages {
  #items: ShownMessage[] = [];
  #reply: ShownMessage | null = null;

  get items(): readonly ShownMessage[] {
    return this.#items;
  }

  get lastSeq(): number {
    return Math.max(0, ...this.#items.map(({ seq }) => seq ?? 0));
  }

  /** @param logged all messages of the active path */
  replace(logged: LoggedMessage[]): void {
    this.#reply = null;
    this.#items = logged.flatMap((message) => {
      const { seq, role, content: text, author, status, finishReason, feedback } = message;
      if (role === "system") return [];
      const rating = status === undefined ? undefined : (feedback?.rating ?? null);
      const shown: ShownMessage = { ...blank(role), seq, text, author: nameOf(author), rating };
      if (finishReason === "cancelled") shown.state = "stopped";
      if (status === "error") Object.assign(shown, { state: "failed", failure: FAILED });
      return [shown];
    });
  }

  addUnsent(text: string): ShownMessage {
    const message: ShownMessage = { ...blank("user"), text, state: "sending" };
    this.#items.push(message);
    return message;
  }

  remove(message: ShownMessage): void {
    this.#items = this.#items.filter((item) => item !== message);
  }

  /** @returns whether messages are missing that only the log has */
  apply(event: StreamEvent): boolean {
    if (event.type === "message-appended") this.#append(event);
    else if (event.type === "reply-start") this.#startReply();
    else if (event.type === "reply-delta") this.#extendReply(event);
    else if (event.type === "reply-end") this.#endReply(event);
    else if (event.type === "path-changed") return this.#showPath(event.seqs);
    return false;
  }

  #append(event: EventOf<"message-appended">): void {
    const { seq, role, content, author, status } = event;
    if (role === "system" || this.#items.some((item) => item.seq === seq)) return;
    const known = this.#unloggedOf(event) ?? this.#insert(blank(role));
    const rating = status === undefined ? undefined : null;
    Object.assign(known, { seq, text: content, author: nameOf(author), state: "done", rating });
    if (status !== undefined) this.#reply = known;
  }

  /** The message that is shown already, from before it was in the log. */
  #unloggedOf({ role, content, status }: EventOf<"message-appended">): ShownMessage | undefined {
    if (role === "user") return this.#items.find(({ state, text }) => state === "sending" && text === content);
    return status === undefined ? undefined : (this.#reply ?? undefined);
  }

  /** What is not in the log yet comes after what is. */
  #insert(message: ShownMessage): ShownMessage {
    const firstUnsent = this.#items.findIndex(({ seq }) => seq === null);
    this.#items.splice(firstUnsent < 0 ? this.#items.length : firstUnsent, 0, message);
    return message;
  }

  #startReply(): ShownMessage {
    const reply: ShownMessage = { ...blank("assistant"), state: "streaming" };
    this.#items.push(reply);
    this.#reply = reply;
    return reply;
  }

  #extendReply({ offset, text }: EventOf<"reply-delta">): void {
    const reply = this.#reply ?? this.#startReply();
    reply.text = reply.text.slice(0, offset) + text;
  }

  #endReply({ status, error }: EventOf<"reply-end">): void {
    const reply = this.#reply;
    this.#reply = null;
    if (!reply) return;
    reply.state = STATES[status];
    if (status === "error") reply.failure = error?.message ?? FAILED;
    else if (reply.text === "") this.remove(reply);
  }

  #showPath(seqs: number[]): boolean {
    this.#items = this.#items.filter(({ seq }) => seq === null || seqs.includes(seq));
    return seqs.some((seq) => !this.#items.some((item) => item.seq === seq));
  }
}

const blank = (role: ShownMessage["role"]): ShownMessage => ({
  seq: null,
  role,
  text: "",
  author: null,
  state: "done",
  failure: null,
  rating: undefined,
});

/** Only a person has a name: an answer that was adopted from an endpoint is the chatbot's. */
const nameOf = (author: LoggedMessage["author"]): string | null => (author?.kind === "human" ? author.name : null);
