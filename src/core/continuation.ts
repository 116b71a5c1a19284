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
  | {
      kind: "again";
      seq: number;
      /** Whether a reply follows it on the path. */
      isAnswered: boolean;
    }
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
 * Compares a conversation with the active path. Instructions to the model (`system`) are not compared. Of the model's
 * answers the client may have the beginning only, or none, because a turn goes on when its caller leaves: neither changes
 * what was written.
 *
 * @returns `null` if the conversation does not end with a user message
 */
export function continuationOf(
  believed: readonly ModelMessage[],
  activePath: readonly PathMessage[],
): Continuation | null {
  const messages = believed.filter(isCompared);
  const prompt = messages.at(-1);
  if (prompt?.role !== "user") return null;
  const path = activePath.filter(isCompared);
  const { known, place, last } = findKnown(messages, path);
  if (known < messages.length)
    return {
      kind: "new",
      replacedSeq: path[place]?.seq ?? null,
      added: messages.slice(known, -1),
      prompt: prompt.content,
    };
  return { kind: "again", seq: last?.seq ?? 0, isAnswered: path[place]?.role === "assistant" };
}

/** An answer without text is one that the client did not get. */
const isCompared = ({ role, content }: ModelMessage): boolean =>
  role === "user" || (role === "assistant" && content.trim() !== "");

/** @returns how many messages are known, the place on the path behind them, and the last known message of the path */
function findKnown(messages: readonly ModelMessage[], path: readonly PathMessage[]) {
  let known = 0;
  let place = 0;
  let last: PathMessage | null = null;
  for (; known < messages.length; known += 1) {
    const message = messages[known];
    const found = message ? findFrom(path, place, message) : null;
    if (found === null) break;
    last = path[found] ?? null;
    place = found + 1;
  }
  // Answers that the client does not have stay where they are, before what is new.
  if (messages[known]?.role === "user") while (path[place]?.role === "assistant") place += 1;
  return { known, place, last };
}

/** The place of a message on the path, behind answers that the client does not have; `null` if it is new. */
function findFrom(path: readonly PathMessage[], place: number, message: ModelMessage): number | null {
  for (let index = place; ; index += 1) {
    const candidate = path[index];
    if (!candidate) return null;
    if (isSame(message, candidate)) return index;
    const isSkipped = message.role === "user" && candidate.role === "assistant";
    if (!isSkipped) return null;
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
