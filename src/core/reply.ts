import type { ConnectorType } from "./endpoint.ts";
import type { FailureReason } from "./failure.ts";
import type { FinishReason, Role, Usage } from "./message.ts";

/** One message as a model is shown it. */
export interface ModelMessage {
  role: Role;
  content: string;
}

/** One question to one endpoint. */
export interface ReplyRequest {
  endpointId: string;
  connectorType: ConnectorType;
  uri: string;
  /** As it is stored: sealed, `env:NAME` or `""`. */
  token: string;
  model: string;
  /** JSON text of an object. */
  params: string;
  messages: ModelMessage[];
  /** Calls that this chat made to the endpoint before. */
  priorCalls: number;
}

/** How a provider says that a reply ended well: by its format's own terminal marker. */
export interface ReplyEnd {
  type: "end";
  finishReason: FinishReason;
  model: string | null;
  usage: Usage | null;
  providerRequestId: string | null;
}

export interface ReplyFailed {
  type: "failed";
  code: FailureReason;
  message: string;
  retryAfterSeconds: number | null;
  providerRequestId: string | null;
}

/** What comes from an endpoint: texts, then exactly one end or failure. */
export type ReplyEvent = { type: "text"; text: string } | ReplyEnd | ReplyFailed;

/** A reply as it comes in: in the portions in which its provider sent it, so that each costs one step on its way. */
export type ReplyStream = AsyncGenerator<ReplyEvent[], void>;

export const replyFailed = (
  code: FailureReason,
  message: string,
  facts: { retryAfterSeconds?: number | null; providerRequestId?: string | null } = {},
): ReplyFailed => ({ type: "failed", code, message, retryAfterSeconds: null, providerRequestId: null, ...facts });
