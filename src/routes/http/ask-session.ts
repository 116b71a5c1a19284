/**
 * Asks a session, and reads the reply from the events of its turn. The turn goes on when the caller leaves. Effects: RPC to the
 * session's object.
 */
import type { Context } from "hono";
import { rootCause } from "../../core/failure.ts";
import { hasText } from "../../core/message.ts";
import type { Message } from "../../core/message.ts";
import { replyFailure } from "../../core/reply.ts";
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";
import { sessionStub } from "../../live/session-client.ts";
import type { IdempotencyKey, Question } from "../../live/session-client.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";
import { idempotencyKeyOf, markReplayed } from "./idempotency.ts";
import type { HttpProblem } from "./problem.ts";
import { followSession, openEventStream } from "./subscribe.ts";
import { readOwnEvents } from "./read-events.ts";
import { ReplyInbox } from "./reply-inbox.ts";
import type { EndOfReply, FinalEvent, OpenReply } from "./reply-inbox.ts";

/** A reply of a session. */
export interface SessionReply extends OpenReply {
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
  const reply = messages.at(-1);
  if (!reply) throw new Error("A turn without a message");
  markReplayed(c, replayed);
  const inbox = new ReplyInbox();
  inbox.add([{ type: "text", text: reply.content }, finalOf(reply, retryAfterSeconds)]);
  return { inbox, stop: () => undefined, turnId: reply.turnId ?? "" };
}

/** A reply that has ended, by its message. A turn that was left to a person has the prompt only. */
export function endedReply(last: Message): OpenReply {
  const inbox = new ReplyInbox();
  const text = last.reply && hasText(last) ? last.content : "";
  inbox.add([{ type: "text", text }, finalOf(last, null)]);
  return { inbox, stop: () => undefined };
}

/** How a reply has ended, by its message. A turn that was left to a person has the prompt only. */
export function finalOf({ reply }: Message, retryAfterSeconds: number | null): FinalEvent {
  if (reply === null) return { type: "human" };
  const { error, finishReason, finishReasonRaw, usage, durationMs, ttftMs } = reply;
  if (error && error.code !== "cancelled") return replyFailure(error.code, error.message, { retryAfterSeconds });
  const raw = finishReasonRaw === undefined ? {} : { finishReasonRaw };
  return endOf({ finishReason, usage, durationMs, ttftMs, ...raw });
}

const endOf = (end: Omit<EndOfReply, "type" | "model" | "providerRequestId">): EndOfReply => ({
  type: "end",
  model: null,
  providerRequestId: null,
  ...end,
});

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
    object.varyAndFollow({ question, key, readerId, role }),
  );
  if (!opened.ok) return opened.failure;
  markReplayed(c, opened.value.replayed);
  const reader = new TurnReader();
  const reply = readTurn(c, opened.value.events, reader);
  return { ...reply, turnId: await reader.turnId };
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
  return readTurn(c, events, new TurnReader(turnId));
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
  const reader = new TurnReader("", true);
  const reply = readTurn(c, events, reader);
  const turnId = await reader.turnId;
  return turnId === "" ? null : { ...reply, turnId };
}

function readTurn(c: Context<AppEnv>, events: ReadableStream<Uint8Array>, reader: TurnReader): OpenReply {
  const leave = new AbortController();
  c.executionCtx.waitUntil(reader.read(events, leaving(c, leave)));
  return { inbox: reader.inbox, stop: () => leave.abort() };
}

/** The caller's own signal comes before its stream notices that it has left. */
const leaving = (c: Context<AppEnv>, { signal }: AbortController): AbortSignal =>
  AbortSignal.any([signal, c.req.raw.signal]);

/** The fields of a turn's events that are read here. */
interface TurnEvent {
  type: string;
  turnId: string;
  text: string;
  status: string;
  finishReason?: ReplyEnd["finishReason"];
  usage?: ReplyEnd["usage"];
  durationMs?: number | null;
  ttftMs?: number | null;
  error?: Pick<ReplyFailure, "code" | "message">;
  /** Of a session's state. */
  turn?: { turnId: string } | null;
}

/** Reads the events of a turn into an inbox. */
class TurnReader {
  readonly inbox = new ReplyInbox();
  readonly turnId: Promise<string>;
  readonly #begin: (turnId: string) => void;
  /** The only turn to read among those of a session; `null` where the events are those of one turn. */
  #only: string | null;
  /** Whether that is the turn that runs, which the session's state says. */
  readonly #isRunning: boolean;
  #end: EndOfReply | null = null;
  #failure: ReplyFailure | null = null;
  #hasEnded = false;

  constructor(only: string | null = null, isRunning = false) {
    this.#isRunning = isRunning;
    this.#only = only;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.turnId = promise;
    this.#begin = resolve;
  }

  /** Never rejects. Events that break off are a failure of the reply. */
  async read(events: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
    try {
      await readOwnEvents(events, signal, (event) => {
        this.#take(event as TurnEvent);
        // The stream of a session does not end with the turn.
        return !this.#hasEnded || this.#only === null;
      });
    } catch (error) {
      if (!signal.aborted) console.error({ event: "turn-not-read", error: rootCause(error) });
    }
    this.#begin("");
    this.#finish(replyFailure("interrupted", "The reply was interrupted."));
  }

  #take(event: TurnEvent): void {
    if (this.#isRunning && event.type === "session-snapshot") this.#readOnly(event.turn?.turnId ?? "");
    if (this.#only !== null && event.turnId !== this.#only) return;
    this.#begin(event.turnId);
    this.#takeOfTurn(event);
  }

  #takeOfTurn(event: TurnEvent): void {
    const { type } = event;
    if (type === "reply-delta") this.inbox.add([{ type: "text", text: event.text }]);
    if (type === "message-appended") this.#end = endIn(event) ?? this.#end;
    if (type === "reply-end") this.#failure = failureIn(event);
    // It comes with the end of the reply, and only it says that a person has taken over.
    if (type === "turn-ended") this.#finish(this.#failure ?? this.#endOfTurn(event));
  }

  /** @param turnId empty if no turn runs: then there is nothing to read */
  #readOnly(turnId: string): void {
    this.#only = turnId;
    this.#begin(turnId);
    this.#hasEnded = turnId === "";
  }

  #endOfTurn({ status }: TurnEvent): FinalEvent | null {
    if (status !== "human") return this.#end;
    return this.#end ? { ...this.#end, isTakenOver: true } : { type: "human" };
  }

  #finish(final: FinalEvent | null): void {
    if (final === null || this.#hasEnded) return;
    this.#hasEnded = true;
    this.inbox.add([final]);
  }
}

const endIn = ({ finishReason, usage = null, durationMs = null, ttftMs = null }: TurnEvent): EndOfReply | null =>
  finishReason ? endOf({ finishReason, usage, durationMs, ttftMs }) : null;

const failureIn = ({ status, error }: TurnEvent): ReplyFailure | null =>
  status === "error" && error ? replyFailure(error.code, error.message) : null;
