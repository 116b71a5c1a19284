/**
 * How a conversation goes on for a client that sends all of it with every call: what it believes was written is compared
 * with the active path of the session. Pure.
 */
import type { Role } from "./message.ts";
import type { ModelMessage } from "./reply.ts";

/** A message of the active path. */
export interface PathMessage {
  seq: number;
  role: Role;
  content: string;
  /** Whether it is a reply that was cut: its reader may have seen more of it. */
  isCut: boolean;
}

/** What a call adds to a conversation. */
export type Continuation =
  /** The conversation ends with a user message that is on the path: it is asked again. */
  | { kind: "again"; seq: number; prompt: string }
  /** It ends with new messages, and the last of them is the prompt. */
  | {
      kind: "new";
      /** The message of the path in whose place the first of them stands; `null` if they follow the whole path. */
      replacedSeq: number | null;
      /** The messages before the prompt. */
      added: ModelMessage[];
      prompt: string;
    };

/**
 * Compares a conversation with the active path, and reads no more of the path than that takes. Instructions to the model
 * (`system`) are not compared. Of the model's answers the client may have the beginning only, or none, because a turn goes
 * on when its caller leaves: neither changes what was written.
 *
 * @returns `null` if the conversation does not end with a user message
 */
export function continuationOf(
  believed: readonly ModelMessage[],
  activePath: Iterable<PathMessage>,
): Continuation | null {
  const messages = believed.filter(isCompared);
  const last = messages.at(-1);
  if (last?.role !== "user") return null;
  const { content: prompt } = last;
  const path = new PathReader(activePath);
  let lastSeq = 0;
  for (const [known, message] of messages.entries()) {
    const same = path.take(message);
    if (same === null)
      return { kind: "new", replacedSeq: path.next?.seq ?? null, added: messages.slice(known, -1), prompt };
    lastSeq = same.seq;
  }
  return { kind: "again", seq: lastSeq, prompt };
}

/** An answer without text is one that the client did not get. */
const isCompared = ({ role, content }: ModelMessage): boolean =>
  role === "user" || (role === "assistant" && content.trim() !== "");

/** How many answers that the client does not have are passed over before one that it has. They are held in memory. */
const MAX_PASSED = 16;

/** The compared messages of a path, one after the other. */
class PathReader {
  readonly #messages: Iterator<PathMessage>;
  /** `null` at the end of the path. */
  next: PathMessage | null = null;
  /** What follows `next`, as far as it was read. */
  readonly #ahead: PathMessage[] = [];

  constructor(path: Iterable<PathMessage>) {
    this.#messages = path[Symbol.iterator]();
    this.#advance();
  }

  /** Reads a message; `null` if it is not the next one. Answers that the client does not have are passed over. */
  take(message: ModelMessage): PathMessage | null {
    if (message.role === "user") while (this.next?.role === "assistant") this.#advance();
    else this.#passTo(message);
    const { next } = this;
    if (next === null || !isSame(message, next)) return null;
    this.#advance();
    return next;
  }

  /** Passes over answers that the client does not have, such as a person's, if it has one of those that follow. */
  #passTo(answer: ModelMessage): void {
    for (let one = this.next, index = 0; one?.role === "assistant"; one = this.#peek(index), index += 1) {
      if (!isSame(answer, one)) continue;
      while (this.next !== one) this.#advance();
      return;
    }
  }

  /** A message behind `next`, if it is not too far. */
  #peek(index: number): PathMessage | null {
    if (index === this.#ahead.length && index < MAX_PASSED) this.#ahead.push(...this.#read());
    return this.#ahead[index] ?? null;
  }

  #advance(): void {
    const [next = null] = this.#ahead.length > 0 ? this.#ahead.splice(0, 1) : this.#read();
    this.next = next;
  }

  /** The next message; none at the end. */
  #read(): PathMessage[] {
    for (let item = this.#messages.next(); !item.done; item = this.#messages.next())
      if (isCompared(item.value)) return [item.value];
    return [];
  }
}

/** Clients trim texts, and have line breaks of their own. */
const normalize = (text: string): string => text.replaceAll("\r\n", "\n").trim();

function isSame(message: ModelMessage, { role, content, isCut }: PathMessage): boolean {
  if (message.role !== role) return false;
  const [believed, actual] = [normalize(message.content), normalize(content)];
  if (believed === actual) return true;
  return role === "assistant" && (actual.startsWith(believed) || (isCut && believed.startsWith(actual)));
}
