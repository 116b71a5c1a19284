import type { FinishReason, ReplyDetail, ReplyError, Usage } from "../core/message.ts";
import type { ReplyEnd, ReplyFailed, ReplyRequest, ReplyStream } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import type { EpochMs } from "../core/time.ts";

/** What one chat has to do in a turn: a question to ask, or the reason why none can be asked. */
export interface Share {
  chatId: string;
  endpointId: string | null;
  preparedPrompt: string;
  promptTemplate: string | null;
  contextStrategy: string | null;
  question: { request: ReplyRequest } | { error: ReplyError };
}

/** How one chat's share came out. There is always one: a failure is an outcome too. */
export interface Reply {
  chatId: string;
  content: string;
  detail: ReplyDetail;
  /** How long the provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** The world as a turn sees it. */
export interface Ports {
  /** Asks an endpoint; ends early, without an end event, once the signal is aborted. */
  ask: (request: ReplyRequest, signal: AbortSignal) => ReplyStream;
  clock: () => EpochMs;
  signal: AbortSignal;
  /** Told of each reply as it settles, in order of settling. */
  settled: (reply: Reply) => void;
}

/** Asks all chats at once. Settles when each has a reply or a named failure; never rejects. */
export function fanOut(shares: Share[], ports: Ports): Promise<Reply[]> {
  return Promise.all(
    shares.map(async (share) => {
      const reply = await settle(share, ports);
      ports.settled(reply);
      return reply;
    }),
  );
}

async function settle(share: Share, ports: Ports): Promise<Reply> {
  const started = ports.clock();
  if ("error" in share.question) {
    const { code, message } = share.question.error;
    return conclude(share, { content: "", ttftMs: null, attempts: 0, last: replyFailed(code, message) }, 0);
  }
  const heard = await listen(share.question.request, started, ports);
  return conclude(share, heard, ports.clock() - started);
}

interface Heard {
  content: string;
  ttftMs: number | null;
  attempts: number;
  last: ReplyEnd | ReplyFailed;
}

async function listen(request: ReplyRequest, started: EpochMs, { ask, clock, signal }: Ports): Promise<Heard> {
  const heard = { content: "", ttftMs: null as number | null, attempts: 1 };
  try {
    for await (const portion of ask(request, signal)) {
      for (const event of portion) {
        if (event.type !== "text") return { ...heard, last: event };
        heard.ttftMs ??= clock() - started;
        heard.content += event.text;
      }
    }
  } catch {
    return { ...heard, last: cutOff(signal) };
  }
  return { ...heard, last: cutOff(signal) };
}

const cutOff = (signal: AbortSignal): ReplyFailed =>
  signal.aborted
    ? replyFailed("cancelled", "The turn was stopped.")
    : replyFailed("connection_lost", "The call to the endpoint broke off.");

function conclude(share: Share, { content, ttftMs, attempts, last }: Heard, durationMs: number): Reply {
  const ended = last.type === "end" ? last : null;
  const error = last.type === "failed" ? { code: last.code, message: last.message } : null;
  return {
    chatId: share.chatId,
    content,
    retryAfterSeconds: last.type === "failed" ? last.retryAfterSeconds : null,
    detail: {
      status: statusOf(error),
      endpointId: share.endpointId,
      finishReason: ended?.finishReason ?? finishReasonOf(error),
      error,
      model: ended?.model ?? null,
      usage: usageOf(ended),
      durationMs,
      ttftMs,
      attempts,
      providerRequestId: last.providerRequestId,
      preparedPrompt: share.preparedPrompt,
      promptTemplate: share.promptTemplate,
      contextStrategy: share.contextStrategy,
    },
  };
}

const statusOf = (error: ReplyError | null): ReplyDetail["status"] => {
  if (error === null) return "ok";
  return error.code === "cancelled" ? "cancelled" : "error";
};

const finishReasonOf = (error: ReplyError | null): FinishReason =>
  error?.code === "cancelled" ? "cancelled" : "error";

const usageOf = (ended: ReplyEnd | null): Usage | null => ended?.usage ?? null;
