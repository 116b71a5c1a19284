import type { Prices } from "../core/endpoint.ts";
import type { FinishReason, Receipt, ReplyDetail, ReplyError, Usage } from "../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest } from "../core/reply.ts";
import { NOT_CALLED, replyFailed } from "../core/reply.ts";
import type { EpochMs } from "../core/time.ts";

/** What one chat has to do in a turn: a question to ask, or the reason why none can be asked. */
export interface ChatTask {
  chatId: string;
  endpointId: string | null;
  preparedPrompt: string;
  promptTemplate: string | null;
  contextStrategy: string | null;
  /** What the endpoint's tokens cost now: they go into the receipt. */
  prices: Prices | null;
  call: { request: ReplyRequest } | { error: ReplyError };
}

/** How one chat's share came out. There is always one: a failure is an outcome too. */
export interface Reply {
  chatId: string;
  content: string;
  detail: ReplyDetail;
  /** How long the provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** A share that can be put to its endpoint. */
export interface ProviderCall {
  chatId: string;
  request: ReplyRequest;
  /** Once aborted, the call is aborted. */
  signal: AbortSignal;
}

/** Told what an endpoint says, as it says it. */
export type OnReplyEvents = (chatId: string, portion: ReplyEvent[]) => void;

/** The world as a turn sees it. */
export interface FanOutPorts {
  /** Asks endpoints at once; each is heard to its one end or failure before this settles. Never rejects. */
  callEndpoints: (questions: ProviderCall[], hear: OnReplyEvents) => Promise<void>;
  clock: () => EpochMs;
  /** Stops a chat's call. */
  signalOf: (chatId: string) => AbortSignal;
  /** Told of each piece of a reply as it comes. */
  onText: (chatId: string, text: string) => void;
  /** Told of each reply as it settles, in order of settling. */
  onReply: (reply: Reply) => void;
}

/** Asks all chats at once. Settles when each has a reply or a named failure, in the order of the shares; never rejects. */
export async function fanOut(
  shares: ChatTask[],
  { callEndpoints, clock, signalOf, onText, onReply }: FanOutPorts,
): Promise<Reply[]> {
  const started = clock();
  const chats = new Map(shares.map((share) => [share.chatId, { share, content: "", ttftMs: null as number | null }]));
  const replies = new Map<string, Reply>();
  const settle = (chat: ChatProgress, last: ReplyEnd | ReplyFailed) => {
    const { prices } = chat.share;
    const reply = withPrices(conclude(chat, last, last.metrics ?? metricsSeen(chat, clock() - started)), prices);
    replies.set(reply.chatId, reply);
    onReply(reply);
  };
  const hear: OnReplyEvents = (chatId, portion) => {
    const chat = chats.get(chatId);
    if (!chat) return;
    for (const event of portion) {
      if (event.type !== "text") return settle(chat, event);
      chat.ttftMs ??= clock() - started;
      chat.content += event.text;
      onText(chatId, event.text);
    }
  };
  const questions: ProviderCall[] = [];
  for (const chat of chats.values()) {
    const { chatId, call } = chat.share;
    if ("request" in call) questions.push({ chatId, request: call.request, signal: signalOf(chatId) });
    else settle(chat, replyFailed(call.error.code, call.error.message, { metrics: NOT_CALLED }));
  }
  await callEndpoints(questions, hear);
  return shares.flatMap(({ chatId }) => replies.get(chatId) ?? []);
}

/** A reply whose receipt, if it has one, tells what tokens cost when the prompt was put: who calls providers does not know. */
export const withPrices = (reply: Reply, prices: Prices | null): Reply =>
  reply.detail.receipt
    ? { ...reply, detail: { ...reply.detail, receipt: { ...reply.detail.receipt, prices } } }
    : reply;

/** What came of a chat's share so far. */
interface ChatProgress {
  share: ChatTask;
  content: string;
  ttftMs: number | null;
}

/** A call whose end nobody told is known by what was heard of it here. */
const metricsSeen = ({ ttftMs }: ChatProgress, durationMs: number): CallMetrics => ({
  ...NOT_CALLED,
  durationMs,
  ttftMs,
  calls: 1,
});

function conclude({ share, content }: ChatProgress, last: ReplyEnd | ReplyFailed, course: CallMetrics): Reply {
  const ended = last.type === "end" ? last : null;
  const error = last.type === "failed" ? { code: last.code, message: last.message } : null;
  const { endpointId, preparedPrompt, promptTemplate, contextStrategy } = share;
  return {
    chatId: share.chatId,
    content,
    retryAfterSeconds: last.type === "failed" ? last.retryAfterSeconds : null,
    detail: {
      status: statusOf(error),
      endpointId,
      finishReason: ended?.finishReason ?? finishReasonOf(error),
      ...(last.finishReasonRaw === undefined ? {} : { finishReasonRaw: last.finishReasonRaw }),
      error,
      model: ended?.model ?? null,
      usage: usageOf(ended),
      durationMs: course.durationMs,
      ttftMs: course.ttftMs,
      attempts: course.calls,
      providerRequestId: last.providerRequestId,
      preparedPrompt,
      promptTemplate,
      contextStrategy,
      queueMs: course.queueMs,
      ...(course.receipt ? { receipt: fitting(course.receipt, content.length + preparedPrompt.length) } : {}),
    },
  };
}

/** What a reply's row may hold, in UTF-16 code units: it must fit in 2 MB, and one takes three bytes at most. */
const MAX_ROW = 600_000;

/** A body that its row has no place for is not kept; its hash is. */
const fitting = (receipt: Receipt, beside: number): Receipt =>
  beside + (receipt.body?.length ?? 0) > MAX_ROW ? { ...receipt, body: null } : receipt;

const statusOf = (error: ReplyError | null): ReplyDetail["status"] => {
  if (error === null) return "ok";
  return error.code === "cancelled" ? "cancelled" : "error";
};

const finishReasonOf = (error: ReplyError | null): FinishReason =>
  error?.code === "cancelled" ? "cancelled" : "error";

const usageOf = (ended: ReplyEnd | null): Usage | null => ended?.usage ?? null;
