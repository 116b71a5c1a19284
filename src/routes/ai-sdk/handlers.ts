/** The handlers of `/ui/chat`. Effects: RPC to the session's object; queries to D1 for what no object has. */
import type { Context } from "hono";
import type * as z from "zod";
import type { Caller } from "../../core/caller.ts";
import { hasText } from "../../core/message.ts";
import type { Message } from "../../core/message.ts";
import { parentOf } from "../../core/message-tree.ts";
import { messagesOf, openLog, readSession, shownOf } from "../../live/read-session.ts";
import type { OpenLog } from "../../live/read-session.ts";
import { askAndFollow, endedReply, followRunningTurn } from "../http/ask-session.ts";
import type { SessionReply } from "../http/ask-session.ts";
import type { AppEnv } from "../http/context.ts";
import { readerOf } from "../http/context.ts";
import { idempotencyKeyOf } from "../http/idempotency.ts";
import { respondWithJsonStream } from "../http/json-stream.ts";
import { respondWithStream } from "../http/reply-stream.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { findOwnSession } from "../http/session-owners.ts";
import { placeIn } from "./message-ids.ts";
import { isShown, presentMessage } from "./present.ts";
import { readQuestion } from "./question.ts";
import { ReplyParts } from "./reply-parts.ts";
import type { ResumeStream, SendMessage } from "./schemas.ts";

type AppContext = Context<AppEnv>;

export async function sendMessage(c: AppContext, input: z.output<typeof SendMessage>) {
  const question = readQuestion(c, input);
  if ("reason" in question) return respondWithProblem(c, question);
  const own = await findOwnSession(c, input.id);
  // What the object answers for a session that does not exist.
  if ("reason" in own) return respondWithProblem(c, { reason: "session-not-active" });
  const key = question.about === "reply" ? idempotencyKeyOf(c) : (question.message?.name ?? null);
  const asked = await askAndFollow(c, own.sessionId, question, key);
  return "reason" in asked ? respondWithProblem(c, asked) : respondWithParts(c, asked);
}

/** The reply that runs, or that has ended since the reader got its list, from its beginning. 204 if there is none. */
export async function resumeStream(c: AppContext, id: string, { after }: z.output<typeof ResumeStream>) {
  const own = await findOwnSession(c, id);
  const running = "reason" in own ? own : await followRunningTurn(c, own.sessionId);
  const found = running ?? (after === undefined ? null : await findReplyAfter(c, id, after));
  if (found === null) return c.body(null, 204);
  return "reason" in found ? respondWithProblem(c, found) : respondWithParts(c, found);
}

/** The reply to the message of the user that ends a reader's list; `null` if more or nothing follows it by now. */
async function findReplyAfter(c: AppContext, id: string, last: string): Promise<SessionReply | null> {
  const { seq } = placeIn(last);
  const log = seq === undefined ? null : await openLog(readerOf(c), id);
  if (log === null || seq === undefined) return null;
  const following = await firstAfter(log, seq, c.var.caller);
  const [shown, next] = following.filter(hasText);
  const reply = shown ?? following.at(-1);
  if (next || !reply?.reply || reply.turnId === null) return null;
  return { reply: endedReply(reply), turnId: reply.turnId };
}

/** What follows a message: two messages that a list shows, if there are so many, and before them its failed replies without text. */
async function firstAfter(log: OpenLog, seq: number, viewer: Pick<Caller, "role">): Promise<Message[]> {
  const following: Message[] = [];
  for await (const message of messagesOf({ ...log, after: seq }, { form: "short" }) as AsyncIterable<Message>) {
    if (isShown(log.session, message, viewer) || hasFailedAfter(message, seq)) following.push(message);
    if (following.filter(hasText).length > 1) break;
  }
  return following;
}

/** Whether a message is a reply without text, which no list shows, to the message with this `seq`. */
const hasFailedAfter = (message: Message, seq: number): boolean =>
  message.reply?.status === "error" && !hasText(message) && parentOf(message) === seq;

function respondWithParts(c: AppContext, { reply, turnId }: SessionReply): Response {
  c.header("x-vercel-ai-ui-message-stream", "v1");
  return respondWithStream(c, new ReplyParts(turnId, c.var.caller), reply);
}

/** The newest messages of the active path, as the list that `useChat` begins with. */
export async function getMessages(c: AppContext, id: string) {
  const own = await findOwnSession(c, id);
  if ("reason" in own) return respondWithProblem(c, own);
  const reader = readerOf(c);
  const found = await readSession(reader, own.sessionId, "whole");
  if (!found) return respondWithProblem(c, { reason: "not-found", resource: "session", id: null });
  const { messages, log, isTruncated } = await shownOf(reader, found);
  if (isTruncated) c.header("x-parley-truncated", "true");
  const { caller } = c.var;
  if (log !== null) return respondWithJsonStream(c, presentEach(log, caller));
  return c.json(
    messages
      .filter((message) => isShown(found.session, message, caller))
      .map((message) => presentMessage(message, caller)),
  );
}

async function* presentEach(log: OpenLog, viewer: Pick<Caller, "role">) {
  for await (const message of messagesOf(log, { form: "short" }) as AsyncIterable<Message>)
    if (isShown(log.session, message, viewer)) yield presentMessage(message, viewer);
}
