/**
 * Finds the message that somebody rates, and the user message that it answers. Both are read from where the log is: the
 * session's object, D1 or the archive. Effects: RPC to the object, queries to D1 and R2.
 */
import { canSee } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import { failed, notFound, success } from "../../../core/failure.ts";
import type { Outcome } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import { hasText } from "../../../core/message.ts";
import { isAnswer, isAnsweredBy } from "../../../core/message-feedback.ts";
import { parentOf } from "../../../core/message-tree.ts";
import { openLog } from "../../../live/read-session.ts";
import type { OpenLog, SessionReader } from "../../../live/read-session.ts";
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
  const log = await openLog(reader, sessionId);
  if (!log) return notFound("session");
  if (seq > log.upTo) return notFound("message");
  const near = await readWindow(log, seq - FIRST_WINDOW, seq);
  const rated = near.pop();
  if (rated?.seq !== seq || !hasText(rated) || !canSee(caller, rated.role)) return notFound("message");
  if (!isAnswer(rated)) return failed({ reason: "not-an-answer" });
  return success(ratedMessage(rated, await findAnswered(log, rated, near)));
}

/** Finds what an answer answers. @param near the messages just before it */
async function findAnswered(log: OpenLog, rated: Message, near: Message[]): Promise<Message | null> {
  const promptSeq = rated.reply?.promptSeq;
  if (promptSeq !== undefined) return (await readWindow(log, promptSeq - 1, promptSeq))[0] ?? null;
  const path = new PathToAnswered(rated);
  let answered = path.find(near);
  for (let end = rated.seq - FIRST_WINDOW; !answered && end > Math.max(0, rated.seq - MAX_DISTANCE); end -= NEXT_WINDOW)
    answered = path.find(await readWindow(log, end - NEXT_WINDOW, end));
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

/** The messages after a `seq` and up to another, oldest first, of all paths. */
async function readWindow({ page }: OpenLog, start: number, end: number): Promise<Message[]> {
  const found: Message[] = [];
  for (let after = Math.max(0, start); after < end;) {
    const { items, hasMore } = await page(after, end - after, { form: "short" });
    found.push(...items);
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
