import { readCallParams } from "../../core/call-params.ts";
import type { Attempt } from "../../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { Deadlines } from "./deadlines.ts";
import type { Call, Provider, ProviderEnv } from "./provider.ts";
import { receiptOf } from "./receipt.ts";
import { withoutSecret } from "./mask-secret.ts";

/** What became of a call that ended without a word. */
const CONNECTION_LOST = replyFailure("connection_lost", "The call ended without a word.");

type FinalEvent = ReplyEnd | ReplyFailure;

/** Leave to make one call. */
export interface Slot {
  /** The call is over, as told. */
  release(final: FinalEvent): void;
}

/** Asks for leave to make a call: settles when it may be made, or with the reason why not, at once when the signal is aborted. Never rejects. */
export type AcquireSlot = (signal: AbortSignal) => Promise<Slot | ReplyFailure>;

/** Told what comes, in the portions in which it came. */
export type OnEvents = (portion: ReplyEvent[]) => void;

/** What a question is put with, beside itself. */
export interface CallContext {
  stop: AbortSignal;
  /** `null` where every call may be made at once. */
  acquireSlot: AcquireSlot | null;
  providerEnv: ProviderEnv;
  onEvents: OnEvents;
}

/** The first pause before a call is made again, in milliseconds, and the longest. Each is twice the one before. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Puts a question to its provider, again where that may help: never once text has come, never beyond the whole reply's
 * time, and always with the very same call. Tells texts, then one end or failure, which carries the reply's course.
 */
export async function callWithRetries(provider: Provider, request: ReplyRequest, context: CallContext): Promise<void> {
  const { limits, sent } = readCallParams(request.params, provider.maxAttempts);
  const call = provider.prepare({ request, providerParams: sent, providerEnv: context.providerEnv });
  if ("type" in call) return context.onEvents([{ ...call, metrics: NOT_CALLED }]);
  const deadlines = new Deadlines(limits, context.stop);
  const state: AttemptState = {
    call,
    secret: request.token,
    deadlines,
    acquireSlot: context.acquireSlot,
    onEvents: context.onEvents,
    waitedMs: { first: 0, later: 0 },
    sentAt: null,
    firstTextAt: null,
    attempts: [],
  };
  try {
    const final = await attemptUntilFinal(state, limits.maxAttempts);
    const notes = final.type === "end" ? (final.notes ?? []) : [];
    context.onEvents([{ ...final, metrics: await metricsOf(state, request, notes) }]);
  } finally {
    deadlines.clear();
  }
}

/** A question under way, and what is known of its course. */
interface AttemptState {
  call: Call;
  secret: string;
  deadlines: Deadlines;
  acquireSlot: AcquireSlot | null;
  onEvents: OnEvents;
  /** How long its calls have waited for leave, the first and the later ones, in milliseconds. */
  waitedMs: { first: number; later: number };
  /** When its first call was sent. */
  sentAt: EpochMs | null;
  /** When its first text came. */
  firstTextAt: EpochMs | null;
  attempts: Attempt[];
}

async function attemptUntilFinal(state: AttemptState, maxAttempts: number): Promise<FinalEvent> {
  for (;;) {
    const final = await attemptInSlot(state);
    const pauseMs = pauseBeforeRetry(final, state, maxAttempts);
    if (pauseMs === null) return final;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, pauseMs)), state.deadlines.expired]);
    if (state.deadlines.failure) return state.deadlines.failure;
  }
}

/** How long to wait before the call is made again, in milliseconds; `null`: it is not. */
function pauseBeforeRetry(
  final: FinalEvent,
  { firstTextAt, attempts, deadlines }: AttemptState,
  maxAttempts: number,
): number | null {
  if (final.type === "end" || !final.retry || firstTextAt !== null || attempts.length >= maxAttempts) return null;
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempts.length - 1), LONGEST_PAUSE_MS);
  // Callers that failed together must not come again together.
  const pauseMs = final.retry.afterMs ?? longest * (0.5 + Math.random() / 2);
  return pauseMs < deadlines.remainingMs ? pauseMs : null;
}

/** One call, once there is leave to make it. */
async function attemptInSlot(state: AttemptState): Promise<FinalEvent> {
  const { acquireSlot, deadlines } = state;
  const requestedAt = now();
  const slot = acquireSlot ? await acquireSlot(deadlines.signal) : null;
  state.waitedMs[state.sentAt === null ? "first" : "later"] += now() - requestedAt;
  if (slot && "type" in slot) return deadlines.failure ?? slot;
  let final: FinalEvent | null = deadlines.failure;
  try {
    final ??= await attemptOnce(state);
  } finally {
    slot?.release(final ?? deadlines.failure ?? CONNECTION_LOST);
  }
  return final;
}

async function attemptOnce(state: AttemptState): Promise<FinalEvent> {
  const { call, secret, deadlines, attempts } = state;
  const sentAt = now();
  state.sentAt ??= sentAt;
  deadlines.callSent();
  const final = withoutSecret(await readResponse(call.make(deadlines.signal, attempts.length + 1), state), secret);
  deadlines.callEnded();
  attempts.push({
    error: final.type === "failed" ? { code: final.code, message: final.message } : null,
    durationMs: now() - sentAt,
    providerRequestId: final.providerRequestId,
  });
  return final;
}

/** What comes of a call, to its end or until time is over, whether or not the provider lets go by then. */
async function readResponse(portions: ReplyStream, state: AttemptState): Promise<FinalEvent> {
  const { deadlines, onEvents } = state;
  for (;;) {
    const next = await Promise.race([portions.next(), deadlines.expired]);
    if ("type" in next) {
      void portions.return().catch(() => undefined);
      return next;
    }
    if (next.done) return deadlines.failure ?? CONNECTION_LOST;
    const final = next.value.at(-1);
    const texts = next.value.filter(({ type }) => type === "text");
    if (texts.length > 0) {
      state.firstTextAt ??= now();
      deadlines.textReceived();
      onEvents(texts);
    }
    if (final && final.type !== "text") return final;
  }
}

async function metricsOf(state: AttemptState, request: ReplyRequest, notes: string[]): Promise<CallMetrics> {
  const { call, waitedMs, sentAt, firstTextAt, attempts } = state;
  const queueMs = waitedMs.first + waitedMs.later;
  if (sentAt === null) return { ...NOT_CALLED, queueMs };
  const since = sentAt + waitedMs.later;
  return {
    queueMs,
    durationMs: now() - since,
    ttftMs: firstTextAt === null ? null : firstTextAt - since,
    calls: attempts.length,
    receipt: request.withReceipt ? await receiptOf(call, request, attempts, notes) : null,
  };
}
