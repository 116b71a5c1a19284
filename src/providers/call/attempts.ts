import { readCallParams } from "../../core/call-params.ts";
import type { Attempt } from "../../core/message.ts";
import type { Course, ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { NOT_CALLED, replyFailed } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { Deadlines } from "./deadlines.ts";
import type { Call, Provider, World } from "./provider.ts";
import { receiptOf } from "./receipt.ts";
import { withoutSecret } from "./mask-secret.ts";

/** What became of a call that ended without a word. */
const LOST = replyFailed("connection_lost", "The call ended without a word.");

type Last = ReplyEnd | ReplyFailed;

/** Leave to make one call. */
export interface Lease {
  /** The call is over, as told. */
  giveBack(last: Last): void;
}

/** Asks for leave to make a call: settles when it may be made, or with the reason why not, at once when the signal is aborted. Never rejects. */
export type Admit = (signal: AbortSignal) => Promise<Lease | ReplyFailed>;

/** Told what comes, in the portions in which it came. */
export type Tell = (portion: ReplyEvent[]) => void;

/** What a question is put with, beside itself. */
export interface Means {
  stop: AbortSignal;
  /** `null` where every call may be made at once. */
  admit: Admit | null;
  world: World;
  tell: Tell;
}

/** The first pause before a call is made again, in milliseconds, and the longest. Each is twice the one before. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Puts a question to its provider, again where that may help: never once text has come, never beyond the whole reply's
 * time, and always with the very same call. Tells texts, then one end or failure, which carries the reply's course.
 */
export async function answer(provider: Provider, request: ReplyRequest, means: Means): Promise<void> {
  const { limits, sent } = readCallParams(request.params, provider.maxAttempts);
  const call = provider.prepare({ request, sent, world: means.world });
  if ("type" in call) return means.tell([{ ...call, course: NOT_CALLED }]);
  const deadlines = new Deadlines(limits, means.stop);
  const question: UnderWay = {
    call,
    secret: request.token,
    deadlines,
    admit: means.admit,
    tell: means.tell,
    waitedMs: { first: 0, later: 0 },
    sentAt: null,
    heardAt: null,
    attempts: [],
  };
  try {
    const last = await untilAnswered(question, limits.maxAttempts);
    const notes = last.type === "end" ? (last.notes ?? []) : [];
    means.tell([{ ...last, course: await courseOf(question, request, notes) }]);
  } finally {
    deadlines.clear();
  }
}

/** A question under way, and what is known of its course. */
interface UnderWay {
  call: Call;
  secret: string;
  deadlines: Deadlines;
  admit: Admit | null;
  tell: Tell;
  /** How long its calls have waited for leave, the first and the later ones, in milliseconds. */
  waitedMs: { first: number; later: number };
  /** When its first call was sent. */
  sentAt: EpochMs | null;
  /** When its first text came. */
  heardAt: EpochMs | null;
  attempts: Attempt[];
}

async function untilAnswered(question: UnderWay, maxAttempts: number): Promise<Last> {
  for (;;) {
    const last = await admitted(question);
    const pauseMs = pauseBehind(last, question, maxAttempts);
    if (pauseMs === null) return last;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, pauseMs)), question.deadlines.over]);
    if (question.deadlines.failure) return question.deadlines.failure;
  }
}

/** How long to wait before the call is made again, in milliseconds; `null`: it is not. */
function pauseBehind(last: Last, { heardAt, attempts, deadlines }: UnderWay, maxAttempts: number): number | null {
  if (last.type === "end" || !last.again || heardAt !== null || attempts.length >= maxAttempts) return null;
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempts.length - 1), LONGEST_PAUSE_MS);
  // Callers that failed together must not come again together.
  const pauseMs = last.again.afterMs ?? longest * (0.5 + Math.random() / 2);
  return pauseMs < deadlines.leftMs ? pauseMs : null;
}

/** One call, once there is leave to make it. */
async function admitted(question: UnderWay): Promise<Last> {
  const { admit, deadlines } = question;
  const askedAt = now();
  const lease = admit ? await admit(deadlines.signal) : null;
  question.waitedMs[question.sentAt === null ? "first" : "later"] += now() - askedAt;
  if (lease && "type" in lease) return deadlines.failure ?? lease;
  let last: Last | null = deadlines.failure;
  try {
    last ??= await called(question);
  } finally {
    lease?.giveBack(last ?? deadlines.failure ?? LOST);
  }
  return last;
}

async function called(question: UnderWay): Promise<Last> {
  const { call, secret, deadlines, attempts } = question;
  const sentAt = now();
  question.sentAt ??= sentAt;
  deadlines.sent();
  const last = withoutSecret(await heard(call.make(deadlines.signal, attempts.length + 1), question), secret);
  deadlines.rested();
  attempts.push({
    error: last.type === "failed" ? { code: last.code, message: last.message } : null,
    durationMs: now() - sentAt,
    providerRequestId: last.providerRequestId,
  });
  return last;
}

/** What comes of a call, to its end or until time is over, whether or not the provider lets go by then. */
async function heard(portions: ReplyStream, question: UnderWay): Promise<Last> {
  const { deadlines, tell } = question;
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
      question.heardAt ??= now();
      deadlines.heard();
      tell(texts);
    }
    if (last && last.type !== "text") return last;
  }
}

async function courseOf(question: UnderWay, request: ReplyRequest, notes: string[]): Promise<Course> {
  const { call, waitedMs, sentAt, heardAt, attempts } = question;
  const queueMs = waitedMs.first + waitedMs.later;
  if (sentAt === null) return { ...NOT_CALLED, queueMs };
  const since = sentAt + waitedMs.later;
  return {
    queueMs,
    durationMs: now() - since,
    ttftMs: heardAt === null ? null : heardAt - since,
    calls: attempts.length,
    receipt: request.receipted ? await receiptOf(call, request, attempts, notes) : null,
  };
}
