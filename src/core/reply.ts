import type { CallLimits, ConnectorType } from "./endpoint.ts";
import type { ReplyErrorCode } from "./failure.ts";
import type { FinishReason, Receipt, Role, Usage } from "./message.ts";
import type { EpochMs } from "./time.ts";

/** One message as a model is shown it. */
export interface ModelMessage {
  role: Role;
  content: string;
}

/** One question to one endpoint. */
export interface ReplyRequest {
  endpointId: string;
  /** The endpoint's limits, and since when they are what they are. */
  callLimits: CallLimits & { since: EpochMs };
  connectorType: ConnectorType;
  uri: string;
  /** As it is stored: sealed, `env:NAME` or `""`. */
  token: string;
  model: string;
  /** JSON text of an object. */
  params: string;
  messages: ModelMessage[];
  /** Calls that this chat made to the endpoint before. */
  previousCalls: number;
  /** Whether the reply is to come with its receipt. */
  withReceipt: boolean;
}

/** What a reply's calls were like, measured where they were made: neither waiting for leave nor our own hops count. */
export interface CallMetrics {
  /** How long calls waited for leave to be made, in milliseconds. */
  queueMs: number;
  /** From the first call's sending to the reply's end, in milliseconds, without waiting for leave in between. */
  durationMs: number;
  /** The same to the first text; `null` when none came. */
  ttftMs: number | null;
  /** How many calls were made. */
  calls: number;
  /** `null` where none was asked for, or no call was made. */
  receipt: Receipt | null;
}

/** The course of a question that was never put. */
export const NOT_CALLED: CallMetrics = { queueMs: 0, durationMs: 0, ttftMs: null, calls: 0, receipt: null };

/** A reply that was understood to its end. */
export interface ReplyEnd {
  type: "end";
  finishReason: FinishReason;
  /** The provider's own word for it. */
  finishReasonRaw?: string;
  /** What was unusual about the answer, in words for its receipt. */
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
  /** Present where the same call may fare better later: after so many milliseconds, if the provider said so. */
  retry?: { afterMs: number | null };
  /** The provider's own word, where its finish reason says that the reply failed. */
  finishReasonRaw?: string;
  metrics?: CallMetrics;
}

/** What comes from an endpoint: texts, then exactly one end or failure. */
export type ReplyEvent = { type: "text"; text: string } | ReplyEnd | ReplyFailure;

/** A reply as it comes in: in the portions in which its provider sent it, so that each costs one step on its way. */
export type ReplyStream = AsyncGenerator<ReplyEvent[], void>;

export const replyFailure = (
  code: ReplyErrorCode,
  message: string,
  details: Partial<Omit<ReplyFailure, "type" | "code" | "message">> = {},
): ReplyFailure => ({ type: "failed", code, message, retryAfterSeconds: null, providerRequestId: null, ...details });
