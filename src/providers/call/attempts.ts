import { readCallParams } from "../../core/call-params.ts";
import type { Attempt } from "../../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { NOT_CALLED, replyFailed } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { Deadlines } from "./deadlines.ts";
import type { Call, Provider, ProviderEnv } from "./provider.ts";
import { receiptOf } from "./receipt.ts";
import { withoutSecret } from "./mask-secret.ts";

/** What became of a call that ended without a word. */
const LOST = replyFailed("connection_lost", "The call ended without a word.");

type Last = ReplyEnd | ReplyFailed;

/** Leave to make one call. */
export interface Slot {
  /** The call is over, as told. */
  release(last: Last): void;
}

/** Asks for leave to make a call: settles when it may be made, or with the reason why not, at once when the signal is aborted. Never rejects. */
export type AcquireSlot = (signal: AbortSignal) => Promise<Slot | ReplyFailed>;

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
export async function callWithRetries(provider: Provider, request: ReplyRequest, means: CallContext): Promise<void> {
  const { limits, sent } = readCallParams(request.params, provider.maxAttempts);
  const call = provider.prepare({ request, sent, providerEnv: means.providerEnv });
  if ("type" in call) return means.onEvents([{ ...call, metrics: NOT_CALLED }]);
  const deadlines = new Deadlines(limits, means.stop);
  const question: AttemptState = {
    call,
    secret: request.token,
    deadlines,
    acquireSlot: means.acquireSlot,
    onEvents: means.onEvents,
    waitedMs: { first: 0, later: 0 },
    sentAt: null,
    firstTextAt: null,
    attempts: [],
  };
  try {
    const last = await attemptUntilAnswered(question, limits.maxAttempts);
    const notes = last.type === "end" ? (last.notes ?? []) : [];
    means.onEvents([{ ...last, metrics: await metricsOf(question, request, notes) }]);
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

async function attemptUntilAnswered(question: AttemptState, maxAttempts: number): Promise<Last> {
  for (;;) {
    const last = await attemptInSlot(question);
    const pauseMs = pauseBeforeRetry(last, question, maxAttempts);
    if (pauseMs === null) return last;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, pauseMs)), question.deadlines.over]);
    if (question.deadlines.failure) return question.deadlines.failure;
  }
}

/** How long to wait before the call is made again, in milliseconds; `null`: it is not. */
function pauseBeforeRetry(
  last: Last,
  { firstTextAt, attempts, deadlines }: AttemptState,
  maxAttempts: number,
): number | null {
  if (last.type === "end" || !last.retry || firstTextAt !== null || attempts.length >= maxAttempts) return null;
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempts.length - 1), LONGEST_PAUSE_MS);
  // Callers that failed together must not come again together.
  const pauseMs = last.retry.afterMs ?? longest * (0.5 + Math.random() / 2);
  return pauseMs < deadlines.remainingMs ? pauseMs : null;
}

/** One call, once there is leave to make it. */
async function attemptInSlot(question: AttemptState): Promise<Last> {
  const { acquireSlot, deadlines } = question;
  const askedAt = now();
  const lease = acquireSlot ? await acquireSlot(deadlines.signal) : null;
  question.waitedMs[question.sentAt === null ? "first" : "later"] += now() - askedAt;
  if (lease && "type" in lease) return deadlines.failure ?? lease;
  let last: Last | null = deadlines.failure;
  try {
    last ??= await attemptOnce(question);
  } finally {
    lease?.release(last ?? deadlines.failure ?? LOST);
  }
  return last;
}

async function attemptOnce(question: AttemptState): Promise<Last> {
  const { call, secret, deadlines, attempts } = question;
  const sentAt = now();
  question.sentAt ??= sentAt;
  deadlines.callSent();
  const last = withoutSecret(await readResponse(call.make(deadlines.signal, attempts.length + 1), question), secret);
  deadlines.callEnded();
  attempts.push({
    error: last.type === "failed" ? { code: last.code, message: last.message } : null,
    durationMs: now() - sentAt,
    providerRequestId: last.providerRequestId,
  });
  return last;
}

/** What comes of a call, to its end or until time is over, whether or not the provider lets go by then. */
async function readResponse(portions: ReplyStream, question: AttemptState): Promise<Last> {
  const { deadlines, onEvents } = question;
  for (;;) {
    const next = await Promise.race([portions.next(), deadlines.over]);
    if ("type" in next) {
      void portions.return().catch(() => undefined);
      return next;
    }
    if (next.done) return deadlines.failure ?? LOST;
    const last = next.value.at(-1);
    const texts = next.value.filter(({ type }) => type === "text");
    if (texts.length > 0) {
      question.firstTextAt ??= now();
      deadlines.textReceived();
      onEvents(texts);
    }
    if (last && last.type !== "text") return last;
  }
}

async function metricsOf(question: AttemptState, request: ReplyRequest, notes: string[]): Promise<CallMetrics> {
  const { call, waitedMs, sentAt, firstTextAt, attempts } = question;
  const queueMs = waitedMs.first + waitedMs.later;
  if (sentAt === null) return { ...NOT_CALLED, queueMs };
  const since = sentAt + waitedMs.later;
  return {
    queueMs,
    durationMs: now() - since,
    ttftMs: firstTextAt === null ? null : firstTextAt - since,
    calls: attempts.length,
    receipt: request.receipted ? await receiptOf(call, request, attempts, notes) : null,
  };
}
