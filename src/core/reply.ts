/**
 * Replies while they run: the request to an endpoint, the events that come back, and the metrics of its calls. A
 * finished reply is a message (`core/message.ts`). Pure.
 */
import type { CallLimits, ConnectorType } from "./endpoint.ts";
import type { ReplyErrorCode } from "./failure.ts";
import type { FinishReason, Receipt, Role, Usage } from "./message.ts";
import type { EpochMs } from "./time.ts";

/** A message as it is sent to a model. */
export interface ModelMessage {
  role: Role;
  content: string;
}

/** A prompt with its reply, or a message of the conversation that is neither. */
export type AnsweredPrompt = { prompt: string; reply: string } | ModelMessage;

/** A request for one reply from one endpoint. */
export interface ReplyRequest {
  endpointId: string;
  /** The endpoint's limits, and when they were last changed. */
  callLimits: CallLimits & { since: EpochMs };
  connectorType: ConnectorType;
  uri: string;
  /** As stored: encrypted, `env:NAME` or `""`. */
  token: string;
  model: string;
  /** JSON text of an object. */
  params: string;
  messages: ModelMessage[];
  /** Earlier calls of this chat to the endpoint. */
  previousCalls: number;
  /** Whether the reply needs a receipt. */
  withReceipt: boolean;
}

/** Metrics of a reply's calls, measured where the calls are made. They do not include Parley's own network hops. */
export interface CallMetrics {
  /** How long calls waited for a slot, in milliseconds. */
  queueMs: number;
  /**
   * From the start of the first call to the end of the reply, in milliseconds, without the time that later calls waited
   * for a slot.
   */
  durationMs: number;
  /** The same to the first text; `null` if there was no text. */
  ttftMs: number | null;
  /** Number of calls. */
  calls: number;
  /** `null` if no receipt was requested, or if no call was made. */
  receipt: Receipt | null;
}

/** Metrics of a request for which no call was made. */
export const NOT_CALLED: CallMetrics = { queueMs: 0, durationMs: 0, ttftMs: null, calls: 0, receipt: null };

/** A reply that was read to its end. */
export interface ReplyEnd {
  type: "end";
  finishReason: FinishReason;
  /** The provider's own finish reason. */
  finishReasonRaw?: string;
  /** What was unusual about the response, as sentences for the receipt. */
  notes?: string[];
  model: string | null;
  usage: Usage | null;
  providerRequestId: string | null;
  metrics?: CallMetrics;
}

export interface ReplyFailure {
  type: "failed";
  code: ReplyErrorCode;
  message: string;
  retryAfterSeconds: number | null;
  providerRequestId: string | null;
  /** Present if the same call may succeed later; `afterMs` is the wait that the provider requested, in milliseconds. */
  retry?: { afterMs: number | null };
  /** The model that replied, if the provider named it before the failure. */
  model?: string;
  /** The provider's own finish reason, if it means that the reply failed. */
  finishReasonRaw?: string;
  metrics?: CallMetrics;
}

/** Events of a reply: texts, then exactly one end or failure. */
export type ReplyEvent = { type: "text"; text: string } | ReplyEnd | ReplyFailure;

/**
 * A running reply. Events come in the portions in which the provider sent them, because each portion costs a step on
 * its way.
 */
export type ReplyStream = AsyncGenerator<ReplyEvent[], void>;

export const replyFailure = (
  code: ReplyErrorCode,
  message: string,
  details: Partial<Omit<ReplyFailure, "type" | "code" | "message">> = {},
): ReplyFailure => ({ type: "failed", code, message, retryAfterSeconds: null, providerRequestId: null, ...details });
