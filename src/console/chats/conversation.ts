/**
 * A conversation as the events of its session make it: its messages as a tree, the path through them that is shown, and the
 * reply that is being written. It comes out the same whether the events are live or repeated. No effects.
 */
import type { LoggedMessage, Session, StreamEvent } from "../../client/types.ts";
import { Observable } from "../shared/observable.ts";
import { Reply, figuresOf, isOfReply } from "../shared/replies/reply.ts";
import type { Figures } from "../shared/replies/reply.ts";

type Appended = StreamEvent & { type: "message-appended" };

/** Where an adopted answer is from is hidden from a client. */
export type Author =
  | { kind: "human"; name: string }
  | { kind: "adopted"; endpoint: string | null; sessionId: string | null };

/** What is known of a call that did not send all messages of its conversation. */
export type ReplyContext = NonNullable<LoggedMessage["context"]>;

export interface ChatMessage {
  seq: number;
  /** The message that it follows. */
  parentSeq: number | null;
  turnId: string | null;
  role: Appended["role"];
  content: string;
  sentAt: Date;
  /** Of a message for the chatbot's side that its own endpoint did not give. */
  author: Author | null;
  /** What the reply did not get of the conversation, if that has just happened. */
  context: ReplyContext | null;
  /** Of a reply. */
  status: "ok" | "error" | "cancelled" | null;
  error: string | null;
  figures: Figures | null;
}

export class Conversation extends Observable {
  session: Session | null = null;
  lastSeq = 0;
  running: { turnId: string; reply: Reply } | null = null;
  readonly #messages = new Map<number, ChatMessage>();
  readonly #contexts = new Map<string, ReplyContext>();
  #path: number[] = [];

  /** The messages that are shown, oldest first. */
  get shown(): ChatMessage[] {
    return this.#path.flatMap((seq) => this.#messages.get(seq) ?? []);
  }

  /** A message and those that were written in its place, in their order. */
  variantsOf({ parentSeq, role }: ChatMessage): ChatMessage[] {
    if (parentSeq === null) return [];
    return [...this.#messages.values()].filter((other) => other.parentSeq === parentSeq && other.role === role);
  }

  /** @returns the `seq` of the message that is shown in the place of another, which may be itself; `null` for none */
  shownVariantOf(seq: number): number | null {
    const message = this.#messages.get(seq);
    const places = message ? this.variantsOf(message).map((variant) => variant.seq) : [];
    return this.#path.find((shown) => shown === seq || places.includes(shown)) ?? null;
  }

  has(seq: number): boolean {
    return this.#messages.has(seq);
  }

  apply(event: StreamEvent): void {
    if (event.type === "message-appended") this.#append(event);
    else if (event.type === "path-changed") this.#path = event.seqs;
    else if (event.type === "turn-started") this.#start(event.turnId);
    else if (event.type === "turn-ended") this.#end(event.turnId);
    else if (event.type === "context-trimmed") this.#contexts.set(event.turnId, event);
    else if (isOfReply(event)) this.#applyToReply(event);
    else this.#applyToSession(event);
    // A text is shown by who shows the reply.
    if (event.type !== "reply-delta") this.changed();
  }

  #applyToSession(event: StreamEvent): void {
    if (event.type !== "session-snapshot" && event.type !== "session-updated") return;
    this.session = event.session as Session;
    if (event.type === "session-updated") return;
    if (event.turn) this.#start(event.turn.turnId);
    else this.running = null;
  }

  #append(event: Appended): void {
    const { seq, parentSeq = null, turnId = null } = event;
    this.lastSeq = Math.max(this.lastSeq, seq);
    this.#messages.set(seq, messageOf(event, this.#contexts));
    const last = this.#path.at(-1) ?? null;
    if (parentSeq === last && !this.#path.includes(seq)) this.#path = [...this.#path, seq];
    if (event.role === "assistant" && turnId !== null) this.#end(turnId);
  }

  #start(turnId: string): void {
    if (this.running?.turnId !== turnId) this.running = { turnId, reply: new Reply() };
  }

  #end(turnId: string): void {
    if (this.running?.turnId === turnId) this.running = null;
  }

  #applyToReply(event: StreamEvent & { type: "reply-start" | "reply-delta" | "reply-end" }): void {
    if (event.type === "reply-end") {
      const message = [...this.#messages.values()].findLast(
        ({ turnId, role }) => turnId === event.turnId && role === "assistant",
      );
      if (message) message.error = event.error?.message ?? null;
      return;
    }
    this.#start(event.turnId);
    this.running?.reply.apply(event);
  }
}

/** Whether the user had written before: a greeting answers nobody. @param shown oldest first */
export function hasPromptBefore(shown: ChatMessage[], { seq }: ChatMessage): boolean {
  const prompt = shown.find(({ role }) => role === "user");
  return prompt !== undefined && prompt.seq < seq;
}

function messageOf(event: Appended, contexts: ReadonlyMap<string, ReplyContext>): ChatMessage {
  return {
    seq: event.seq,
    parentSeq: event.parentSeq ?? null,
    turnId: event.turnId ?? null,
    role: event.role,
    content: event.content,
    sentAt: new Date(event.timestamp),
    author: event.author ? authorOf(event.author) : null,
    context: (event.status && contexts.get(event.turnId ?? "")) ?? null,
    status: event.status ?? null,
    error: null,
    figures: event.status ? figuresOf(event) : null,
  };
}

const authorOf = (author: NonNullable<Appended["author"]>): Author =>
  author.kind === "human"
    ? { kind: "human", name: author.name }
    : { kind: "adopted", endpoint: author.endpoint ?? null, sessionId: author.sessionId ?? null };
