/**
 * Asks a session, and reads the reply from the events of its turn. The turn goes on when the caller leaves. Effects: RPC to the
 * session's object.
 */
import type { Context } from "hono";
import { hasText } from "../../core/message.ts";
import type { Message } from "../../core/message.ts";
import { replyFailure } from "../../core/reply.ts";
import { sessionStub } from "../../live/session-client.ts";
import type { IdempotencyKey, Question } from "../../live/session-client.ts";
import { readTurn } from "../../live/read-session.ts";
import type { AppEnv } from "./context.ts";
import { measure, readerOf } from "./context.ts";
import { idempotencyKeyOf, markReplayed } from "./idempotency.ts";
import type { HttpProblem } from "./problem.ts";
import { followSession, openEventStream } from "./subscribe.ts";
import { endOfReply } from "./open-reply.ts";
import type { FinalEvent, OpenReply, ReplyEnding } from "./open-reply.ts";
import { TurnReply } from "./turn-reply.ts";

/** A reply of a session. */
export interface SessionReply {
  reply: OpenReply;
  turnId: string;
}

/** @param isStreamed whether the reply is wanted as it comes */
export async function askSession(
  c: Context<AppEnv>,
  sessionId: string,
  question: Question,
  isStreamed: boolean,
): Promise<SessionReply | HttpProblem> {
  const asked = isStreamed
    ? await askAndFollow(c, sessionId, question, idempotencyKeyOf(c))
    : await askAndWait(c, sessionId, question);
  if (!("reason" in asked)) c.header("x-parley-session", sessionId);
  return asked;
}

async function askAndWait(c: Context<AppEnv>, sessionId: string, question: Question) {
  const params = { question, history: "added", key: idempotencyKeyOf(c) } as const;
  const result = await measure(c, "session", sessionStub(c.env, sessionId).vary(params));
  if (!result.ok) return result.failure;
  const { messages, replayed, retryAfterSeconds } = result.value;
  const last = messages.at(-1);
  if (!last) throw new Error("A turn without a message");
  markReplayed(c, replayed);
  return { reply: endedReply(last, retryAfterSeconds), turnId: last.turnId ?? "" };
}

/** A reply that has ended, by its message. A turn that was left to a person has the prompt only. */
export function endedReply(last: Message, retryAfterSeconds: number | null = null): OpenReply {
  const text = last.reply && hasText(last) ? last.content : "";
  const final = finalOf(last, retryAfterSeconds);
  return { next: () => Promise.resolve({ text, final }), stop: () => undefined };
}

/** How a reply has ended, by its message. A turn that was left to a person has the prompt only. */
export function finalOf({ reply }: Message, retryAfterSeconds: number | null): ReplyEnding {
  if (reply === null) return { type: "human" };
  const { error, finishReason, finishReasonRaw, usage, durationMs, ttftMs } = reply;
  if (error && error.code !== "cancelled") return replyFailure(error.code, error.message, { retryAfterSeconds });
  const raw = finishReasonRaw === undefined ? {} : { finishReasonRaw };
  return endOfReply({ finishReason, usage, durationMs, ttftMs, ...raw });
}

/** Finds out why the events of a turn broke off. Of a reply that was not interrupted with them, its reader lacks the rest. */
const endFinder =
  (c: Context<AppEnv>, sessionId: string) =>
  async (turnId: string): Promise<FinalEvent | null> => {
    const turn = await readTurn(readerOf(c), sessionId, turnId);
    const last = turn?.messages.at(-1);
    if (!turn?.isOpen && !last) return null;
    const isInterrupted = last?.reply?.error?.code === "interrupted";
    return isInterrupted ? finalOf(last, null) : { type: "reader-too-slow" };
  };

/** Asks a session, and reads the reply as it comes. */
export async function askAndFollow(
  c: Context<AppEnv>,
  sessionId: string,
  question: Question,
  key: IdempotencyKey | null,
): Promise<SessionReply | HttpProblem> {
  const object = sessionStub(c.env, sessionId);
  const { role } = c.var.caller;
  const opened = await openEventStream(c, object, (readerId) =>
    object.varyAndFollow({ question, key, readerId, role, replyOnly: true }),
  );
  if (!opened.ok) return opened.failure;
  markReplayed(c, opened.value.replayed);
  const { events, turnId } = opened.value;
  const reply = new TurnReply(events, c.req.raw.signal, endFinder(c, sessionId), { turnId, endsWithTurn: true });
  return { reply, turnId: await reply.begin() };
}

/**
 * Follows a turn that waits or runs, as a follower of its session.
 *
 * @returns `null` if it has ended meanwhile
 */
export async function followTurn(
  c: Context<AppEnv>,
  sessionId: string,
  turnId: string,
): Promise<OpenReply | HttpProblem | null> {
  const events = await followSession(c, sessionId, { after: null });
  if (events === null || "reason" in events) return events;
  const turn = await sessionStub(c.env, sessionId).turn({ turnId });
  if (!turn.ok || turn.value?.isOpen !== true) {
    await events.cancel();
    return null;
  }
  return new TurnReply(events, c.req.raw.signal, endFinder(c, sessionId), { turnId });
}

/**
 * Follows the turn that runs, as a follower of its session.
 *
 * @returns `null` if none runs
 */
export async function followRunningTurn(
  c: Context<AppEnv>,
  sessionId: string,
): Promise<SessionReply | HttpProblem | null> {
  const events = await followSession(c, sessionId, { after: null });
  if (events === null || "reason" in events) return events;
  const reply = new TurnReply(events, c.req.raw.signal, endFinder(c, sessionId));
  const turnId = await reply.begin();
  if (turnId !== "") return { reply, turnId };
  reply.stop();
  return null;
}
