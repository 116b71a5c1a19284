/**
 * Calls a provider for one reply: slots, deadlines, retries, metrics. Knows no wire format and no HTTP. Time limits are
 * in `deadlines.ts`, limits of an endpoint in `limits/`. Effects: the clock and timers; the given call does network
 * I/O.
 */
import { readCallParams } from "../../core/call-params.ts";
import type { Attempt } from "../../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { Deadlines } from "./deadlines.ts";
import type { Call, Provider, ProviderEnv } from "./provider.ts";
import { receiptOf } from "./receipt.ts";
import { maskFinal } from "./mask-secret.ts";
import { SurrogateJoiner } from "./surrogate-joiner.ts";

/** The failure of a call that ended without an end or failure event. */
const CONNECTION_LOST = replyFailure("connection_lost", "The call ended without a result.");

type FinalEvent = ReplyEnd | ReplyFailure;

/** A slot for one call within the endpoint's limits. Release it when the call ends. */
export interface Slot {
  /** @param final how the call ended */
  release(final: FinalEvent): void;
}

/**
 * Waits for a slot. Resolves with a failure if there is none in time, or at once if the signal is aborted. Never
 * rejects.
 */
export type AcquireSlot = (signal: AbortSignal) => Promise<Slot | ReplyFailure>;

/** Receives events, in the portions in which they arrive. */
export type OnEvents = (portion: ReplyEvent[]) => void;

/** What a call needs besides its request. */
export interface CallContext {
  stop: AbortSignal;
  /** `null` if the endpoint has no limits. */
  acquireSlot: AcquireSlot | null;
  providerEnv: ProviderEnv;
  onEvents: OnEvents;
}

/** The first and the longest pause before a retry, in milliseconds. Each pause is twice the previous one. */
const FIRST_RETRY_DELAY_MS = 250;
const MAX_RETRY_DELAY_MS = 8_000;

/** The shortest pause, in milliseconds, also when the provider asks for none. */
const MIN_RETRY_DELAY_MS = 100;

/**
 * Calls a provider, with retries. It retries only with the same request, only before any text has arrived, and only
 * within the time limit of the reply. Emits texts, then one end or failure with the metrics of the calls.
 */
export async function callWithRetries(provider: Provider, request: ReplyRequest, context: CallContext): Promise<void> {
  const { limits, providerParams } = readCallParams(request.params, provider.maxAttempts);
  const call = provider.prepare({ request, providerParams, providerEnv: context.providerEnv });
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
    model: null,
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

/** A request in progress, with its measurements. */
interface AttemptState {
  call: Call;
  secret: string;
  deadlines: Deadlines;
  acquireSlot: AcquireSlot | null;
  onEvents: OnEvents;
  /** How long the first and the later calls waited for a slot, in milliseconds. */
  waitedMs: { first: number; later: number };
  /** When the first call was sent. */
  sentAt: EpochMs | null;
  /** When the first text arrived. */
  firstTextAt: EpochMs | null;
  /** The model that the current call's response has named. */
  model: string | null;
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

/** The pause before the next call, in milliseconds; `null` for no retry. */
function pauseBeforeRetry(
  final: FinalEvent,
  { firstTextAt, attempts, deadlines }: AttemptState,
  maxAttempts: number,
): number | null {
  if (final.type === "end" || !final.retry || firstTextAt !== null || attempts.length >= maxAttempts) return null;
  const longest = Math.min(FIRST_RETRY_DELAY_MS * 2 ** (attempts.length - 1), MAX_RETRY_DELAY_MS);
  // Random, so that callers that failed together do not retry together.
  const pauseMs = Math.max(MIN_RETRY_DELAY_MS, final.retry.afterMs ?? longest * (0.5 + Math.random() / 2));
  return pauseMs < deadlines.remainingMs ? pauseMs : null;
}

async function waitForSlot(acquireSlot: AcquireSlot, state: AttemptState): ReturnType<AcquireSlot> {
  const requestedAt = now();
  const slot = await acquireSlot(state.deadlines.signal);
  state.waitedMs[state.sentAt === null ? "first" : "later"] += now() - requestedAt;
  return slot;
}

/** One call, after it has a slot. */
async function attemptInSlot(state: AttemptState): Promise<FinalEvent> {
  const { acquireSlot, deadlines } = state;
  // Without limits there is no queue to wait in.
  const slot = acquireSlot ? await waitForSlot(acquireSlot, state) : null;
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
  state.model = null;
  const portions = call.make(deadlines.signal, attempts.length + 1, (model) => {
    state.model = model;
  });
  const final = maskFinal(withModel(await readResponse(portions, state), state.model), secret);
  deadlines.callEnded();
  attempts.push({
    error: final.type === "failed" ? { code: final.code, message: final.message } : null,
    durationMs: now() - sentAt,
    providerRequestId: final.providerRequestId,
  });
  return final;
}

/** An end or failure with the model that was named before it: one that breaks off a response does not name it. */
const withModel = (final: FinalEvent, model: string | null): FinalEvent =>
  model === null ? final : { ...final, model: final.model ?? model };

/** Reads a call's events to the end, and emits its texts. */
async function readResponse(portions: ReplyStream, state: AttemptState): Promise<FinalEvent> {
  const joiner = new SurrogateJoiner();
  const emit = (texts: string[]) => {
    const events = texts.filter((text) => text !== "").map((text) => ({ type: "text" as const, text }));
    if (events.length > 0) state.onEvents(events);
  };
  const final = await readPortions(portions, state, (texts) => emit(texts.map((text) => joiner.join(text))));
  emit([joiner.end()]);
  return final;
}

/**
 * Reads a call's events to the end, or until a deadline passes, even if the provider does not close the stream by then.
 *
 * @param onTexts gets the texts that came together
 */
async function readPortions(
  portions: ReplyStream,
  state: AttemptState,
  onTexts: (texts: string[]) => void,
): Promise<FinalEvent> {
  const { deadlines } = state;
  for (;;) {
    const next = await Promise.race([portions.next(), deadlines.expired]);
    if ("type" in next) {
      void portions.return().catch(() => undefined);
      return next;
    }
    if (next.done) return deadlines.failure ?? CONNECTION_LOST;
    const texts = next.value.flatMap((event) => (event.type === "text" ? [event.text] : []));
    if (texts.length > 0) {
      state.firstTextAt ??= now();
      deadlines.textReceived();
      onTexts(texts);
    }
    const final = next.value.at(-1);
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
