import type { Prices } from "../core/endpoint.ts";
import { MAX_ROW_CHARACTERS } from "../core/message.ts";
import type { FinishReason, Receipt, ReplyDetail, ReplyError, Usage } from "../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest } from "../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../core/reply.ts";
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
  callEndpoints: (calls: ProviderCall[], onEvents: OnReplyEvents) => Promise<void>;
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
  tasks: ChatTask[],
  { callEndpoints, clock, signalOf, onText, onReply }: FanOutPorts,
): Promise<Reply[]> {
  const started = clock();
  const chats = new Map(tasks.map((task) => [task.chatId, { task, content: "", ttftMs: null as number | null }]));
  const replies = new Map<string, Reply>();
  const finish = (chat: ChatProgress, last: ReplyEnd | ReplyFailure) => {
    const { prices } = chat.task;
    const reply = withPrices(toReply(chat, last, last.metrics ?? observedMetrics(chat, clock() - started)), prices);
    replies.set(reply.chatId, reply);
    onReply(reply);
  };
  const onEvents: OnReplyEvents = (chatId, portion) => {
    const chat = chats.get(chatId);
    if (!chat) return;
    for (const event of portion) {
      if (event.type !== "text") return finish(chat, event);
      chat.ttftMs ??= clock() - started;
      chat.content += event.text;
      onText(chatId, event.text);
    }
  };
  const calls: ProviderCall[] = [];
  for (const chat of chats.values()) {
    const { chatId, call } = chat.task;
    if ("request" in call) calls.push({ chatId, request: call.request, signal: signalOf(chatId) });
    else finish(chat, replyFailure(call.error.code, call.error.message, { metrics: NOT_CALLED }));
  }
  await callEndpoints(calls, onEvents);
  return tasks.flatMap(({ chatId }) => replies.get(chatId) ?? []);
}

/** A reply whose receipt, if it has one, tells what tokens cost when the prompt was put: who calls providers does not know. */
export const withPrices = (reply: Reply, prices: Prices | null): Reply =>
  reply.detail.receipt
    ? { ...reply, detail: { ...reply.detail, receipt: { ...reply.detail.receipt, prices } } }
    : reply;

/** What came of a chat's share so far. */
interface ChatProgress {
  task: ChatTask;
  content: string;
  ttftMs: number | null;
}

/** A call whose end nobody told is known by what was heard of it here. */
const observedMetrics = ({ ttftMs }: ChatProgress, durationMs: number): CallMetrics => ({
  ...NOT_CALLED,
  durationMs,
  ttftMs,
  calls: 1,
});

function toReply({ task, content }: ChatProgress, last: ReplyEnd | ReplyFailure, metrics: CallMetrics): Reply {
  const end = last.type === "end" ? last : null;
  const error = last.type === "failed" ? { code: last.code, message: last.message } : null;
  const { endpointId, preparedPrompt, promptTemplate, contextStrategy } = task;
  return {
    chatId: task.chatId,
    content,
    retryAfterSeconds: last.type === "failed" ? last.retryAfterSeconds : null,
    detail: {
      status: statusOf(error),
      endpointId,
      finishReason: end?.finishReason ?? finishReasonOf(error),
      ...(last.finishReasonRaw === undefined ? {} : { finishReasonRaw: last.finishReasonRaw }),
      error,
      model: end?.model ?? null,
      usage: usageOf(end),
      durationMs: metrics.durationMs,
      ttftMs: metrics.ttftMs,
      attempts: metrics.calls,
      providerRequestId: last.providerRequestId,
      preparedPrompt,
      promptTemplate,
      contextStrategy,
      queueMs: metrics.queueMs,
      ...(metrics.receipt ? { receipt: withFittingBody(metrics.receipt, content.length + preparedPrompt.length) } : {}),
    },
  };
}

/** A body that its row has no place for is not kept; its hash is. */
const withFittingBody = (receipt: Receipt, otherCharacters: number): Receipt =>
  otherCharacters + (receipt.body?.length ?? 0) > MAX_ROW_CHARACTERS ? { ...receipt, body: null } : receipt;

const statusOf = (error: ReplyError | null): ReplyDetail["status"] => {
  if (error === null) return "ok";
  return error.code === "cancelled" ? "cancelled" : "error";
};

const finishReasonOf = (error: ReplyError | null): FinishReason =>
  error?.code === "cancelled" ? "cancelled" : "error";

const usageOf = (end: ReplyEnd | null): Usage | null => end?.usage ?? null;
