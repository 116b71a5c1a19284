/**
 * Fan-out: calls all endpoints of a turn at once and turns their events into replies. Requests are built in
 * `prepare-turn.ts`; providers are called in `providers/`. Effects: only through the given ports.
 */
import type { Prices } from "../core/endpoint.ts";
import { MAX_ROW_CHARACTERS } from "../core/message.ts";
import type { Attack, FinishReason, Receipt, ReplyDetail, ReplyError, SentContext, Usage } from "../core/message.ts";
import type { CallMetrics, ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest } from "../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../core/reply.ts";
import type { EpochMs } from "../core/time.ts";

/** One chat's work in a turn: a request to its endpoint, or the reason why there is none. */
export interface ChatTask {
  chatId: string;
  endpointId: string | null;
  preparedPrompt: string;
  promptTemplate: string | null;
  contextStrategy: string | null;
  systemPrompt?: string;
  attack?: Attack;
  /** Current prices of the endpoint's tokens. */
  prices: Prices | null;
  /** What the request sends, for a chatbot with `context`. */
  context?: SentContext;
  call: { request: ReplyRequest } | { error: ReplyError };
}

/** The result of one chat's task. There is always one: a failure is a result too. */
export interface Reply {
  chatId: string;
  content: string;
  detail: ReplyDetail;
  /** The wait that the provider requested. */
  retryAfterSeconds: number | null;
}

/** A task with a request to its endpoint. */
export interface ProviderCall {
  chatId: string;
  request: ReplyRequest;
  /** Aborts the call. */
  signal: AbortSignal;
}

/** Receives the events of a reply as they arrive. */
export type OnReplyEvents = (chatId: string, portion: ReplyEvent[]) => void;

/** Everything that a turn needs from outside. */
export interface FanOutPorts {
  /** Calls endpoints at once. Settles when each has sent its end or failure. Never rejects. */
  callEndpoints: (calls: ProviderCall[], onEvents: OnReplyEvents) => Promise<void>;
  clock: () => EpochMs;
  /** Aborted to stop a chat's call. */
  signalOf: (chatId: string) => AbortSignal;
  /** Called for each text of a reply. */
  onText: (chatId: string, text: string) => void;
  /** Called for each finished reply, in the order in which they finish. */
  onReply: (reply: Reply) => void;
}

/** Runs all tasks at once. Resolves when each has a reply, in the order of the tasks; never rejects. */
export async function fanOut(
  tasks: ChatTask[],
  { callEndpoints, clock, signalOf, onText, onReply }: FanOutPorts,
): Promise<Reply[]> {
  const startedAt = clock();
  const chats = new Map(tasks.map((task) => [task.chatId, { task, content: "", ttftMs: null as number | null }]));
  const replies = new Map<string, Reply>();
  const finish = (chat: ChatProgress, last: ReplyEnd | ReplyFailure) => {
    const { prices } = chat.task;
    const reply = withPrices(toReply(chat, last, last.metrics ?? observedMetrics(chat, clock() - startedAt)), prices);
    replies.set(reply.chatId, reply);
    onReply(reply);
  };
  const onEvents: OnReplyEvents = (chatId, portion) => {
    const chat = chats.get(chatId);
    if (!chat) return;
    for (const event of portion) {
      if (event.type !== "text") return finish(chat, event);
      chat.ttftMs ??= clock() - startedAt;
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

/**
 * Adds the prices at the time of the prompt: to the receipt, or to a reply that has usage and no receipt. The code that
 * calls providers does not know them.
 */
export function withPrices(reply: Reply, prices: Prices | null): Reply {
  const { detail } = reply;
  if (detail.receipt) return { ...reply, detail: { ...detail, receipt: { ...detail.receipt, prices } } };
  return prices && detail.usage ? { ...reply, detail: { ...detail, prices } } : reply;
}

/** A reply in progress. */
interface ChatProgress {
  task: ChatTask;
  content: string;
  ttftMs: number | null;
}

/** Metrics for a call whose own metrics are missing, as measured here. */
const observedMetrics = ({ ttftMs }: ChatProgress, durationMs: number): CallMetrics => ({
  ...NOT_CALLED,
  durationMs,
  ttftMs,
  calls: 1,
});

function toReply({ task, content }: ChatProgress, last: ReplyEnd | ReplyFailure, metrics: CallMetrics): Reply {
  const end = last.type === "end" ? last : null;
  const error = last.type === "failed" ? { code: last.code, message: last.message } : null;
  const { endpointId, preparedPrompt, promptTemplate, contextStrategy, context } = task;
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
      model: last.model ?? null,
      usage: usageOf(end),
      durationMs: metrics.durationMs,
      ttftMs: metrics.ttftMs,
      attempts: metrics.calls,
      providerRequestId: last.providerRequestId,
      preparedPrompt,
      promptTemplate,
      contextStrategy,
      ...sourcesOf(task),
      queueMs: metrics.queueMs,
      ...(context ? { context } : {}),
      ...(metrics.receipt ? { receipt: withFittingBody(metrics.receipt, content.length + charactersOf(task)) } : {}),
    },
  };
}

/** What the task has besides the prompt, if it has it. */
const sourcesOf = ({ systemPrompt, attack }: ChatTask): Pick<ReplyDetail, "systemPrompt" | "attack"> => ({
  ...(systemPrompt === undefined ? {} : { systemPrompt }),
  ...(attack ? { attack } : {}),
});

/** The characters of a task that the reply's row keeps. */
const charactersOf = ({ preparedPrompt, systemPrompt = "", attack }: ChatTask): number =>
  preparedPrompt.length + systemPrompt.length + (attack?.prompt.length ?? 0);

/** Removes a body that does not fit into the reply's row. Its hash remains. */
const withFittingBody = (receipt: Receipt, otherCharacters: number): Receipt =>
  otherCharacters + (receipt.body?.length ?? 0) > MAX_ROW_CHARACTERS ? { ...receipt, body: null } : receipt;

const statusOf = (error: ReplyError | null): ReplyDetail["status"] => {
  if (error === null) return "ok";
  return error.code === "cancelled" ? "cancelled" : "error";
};

const finishReasonOf = (error: ReplyError | null): FinishReason =>
  error?.code === "cancelled" ? "cancelled" : "error";

const usageOf = (end: ReplyEnd | null): Usage | null => end?.usage ?? null;
