/**
 * Finds the message that somebody rates, and the user message that it answers. Both are read from where the log is: the
 * session's object, D1 or the archive. Effects: RPC to the object, queries to D1 and R2.
 */
import { canSee } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import { failed, notFound, success } from "../../../core/failure.ts";
import type { Outcome } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import { isAnswer, isAnsweredBy } from "../../../core/message-feedback.ts";
import { parentOf } from "../../../core/message-tree.ts";
import { readMessages } from "../../../live/read-session.ts";
import type { SessionReader } from "../../../live/read-session.ts";
import type { RatedMessage } from "../../../store/message-feedback.ts";

/** How many messages to read at first: those of a turn, and a few that were appended meanwhile. */
const FIRST_WINDOW = 8;

const NEXT_WINDOW = 64;

/** A message answers one that is at most so far before it. */
const MAX_DISTANCE = 1_000;

/** @returns `not-found` for a session, or a message, that does not exist or that the caller cannot see */
export async function findRated(
  reader: SessionReader,
  { sessionId, seq }: { sessionId: string; seq: number },
  caller: Caller,
): Promise<Outcome<RatedMessage>> {
  const start = Math.max(0, seq - FIRST_WINDOW);
  const messages = await readWindow(reader, sessionId, start, seq);
  if (!messages) return notFound("session");
  const rated = messages.pop();
  if (rated?.seq !== seq || !canSee(caller, rated.role)) return notFound("message");
  if (!isAnswer(rated)) return failed({ reason: "not-an-answer" });
  const answered = await findAnswered(reader, sessionId, rated, messages);
  return success(ratedMessage(rated, answered));
}

/** Finds what an answer answers. @param near the messages just before it */
async function findAnswered(
  reader: SessionReader,
  sessionId: string,
  rated: Message,
  near: Message[],
): Promise<Message | null> {
  const promptSeq = rated.reply?.promptSeq;
  if (promptSeq !== undefined) return (await readWindow(reader, sessionId, promptSeq - 1, promptSeq))?.at(0) ?? null;
  const path = new PathToAnswered(rated);
  let answered = path.find(near);
  for (let end = rated.seq - FIRST_WINDOW; !answered && end > Math.max(0, rated.seq - MAX_DISTANCE); end -= NEXT_WINDOW)
    answered = path.find((await readWindow(reader, sessionId, Math.max(0, end - NEXT_WINDOW), end)) ?? []);
  return answered;
}

/** Walks back from an answer along its path, without messages of other paths. */
class PathToAnswered {
  readonly #answer: Message;
  /** The next message of the path. */
  #nextSeq: number;

  constructor(answer: Message) {
    this.#answer = answer;
    this.#nextSeq = parentOf(answer);
  }

  /** @param messages further ones, oldest first */
  find(messages: Message[]): Message | null {
    for (const message of messages.toReversed()) {
      if (message.seq > this.#nextSeq) continue;
      if (isAnsweredBy(message, this.#answer)) return message;
      this.#nextSeq = parentOf(message);
    }
    return null;
  }
}

/** The messages with text after a `seq` and up to another, oldest first; `null` if there is no such session. */
async function readWindow(
  reader: SessionReader,
  sessionId: string,
  start: number,
  end: number,
): Promise<Message[] | null> {
  const found: Message[] = [];
  for (let after = start; after < end;) {
    const page = await readMessages(reader, sessionId, after, end - after);
    if (!page) return null;
    const { items, hasMore } = page.first;
    found.push(...items.filter((message) => message.seq <= end));
    after = hasMore ? (items.at(-1)?.seq ?? end) : end;
  }
  return found;
}

function ratedMessage({ content, createdAt, author, reply }: Message, answered: Message | null): RatedMessage {
  return {
    createdAt,
    ...(author ? { author } : {}),
    ...(reply ? { finishReason: reply.finishReason } : {}),
    answered: answered && { seq: answered.seq, createdAt: answered.createdAt },
    content,
    answeredContent: answered?.content ?? null,
  };
}
