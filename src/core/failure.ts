/**
 * Failures: every way an operation or a reply can fail, as values. HTTP statuses and error bodies belong to `routes/`.
 * Pure.
 */

/** The ways a reply can fail. Callers see them as `error.code` and can rely on them. */
export const REPLY_ERROR_CODES = [
  "provider_auth",
  "provider_rejected",
  "rate_limited",
  "provider_overloaded",
  "provider_error",
  "provider_timeout",
  "connection_lost",
  "incomplete_stream",
  "bad_chunk",
  "refused_by_guard",
  "endpoint_missing",
  "template_failed",
  "interrupted",
  "cancelled",
] as const;
export type ReplyErrorCode = (typeof REPLY_ERROR_CODES)[number];

/**
 * What an end user reads of a failed reply. The message of the failure itself can contain the provider's words, or the
 * name of a secret.
 */
export const REPLY_ERROR_MESSAGES: Readonly<Record<ReplyErrorCode, string>> = {
  provider_auth: "The model cannot be used now.",
  provider_rejected: "The model did not accept the request.",
  rate_limited: "The model gets too many requests now. Try again later.",
  provider_overloaded: "The model is overloaded now. Try again later.",
  provider_error: "The model failed.",
  provider_timeout: "The model took too long to reply.",
  connection_lost: "The connection to the model was lost.",
  incomplete_stream: "The reply broke off.",
  bad_chunk: "The reply could not be read.",
  refused_by_guard: "The call to the model was refused.",
  endpoint_missing: "The model no longer exists.",
  template_failed: "The message could not be prepared for the model.",
  interrupted: "The reply was interrupted.",
  cancelled: "The reply was stopped.",
};

/** The resource that was not found, already exists or is in use. */
export type ResourceType =
  | "session"
  | "chatbot"
  | "client"
  | "endpoint"
  /** An endpoint or a chatbot, where a dialect calls both models. */
  | "model"
  | "prompt template"
  | "context strategy"
  | "attack module"
  | "bookmark"
  | "run"
  | "record"
  | "key"
  | "chat"
  | "message"
  | "feedback"
  | "turn"
  | "response";

/** What uses a resource, so that it cannot be deleted. */
export interface Users {
  kind: "chatbot" | "active-session" | "open-session";
  /** Of the first ones found; none if they stopped using it meanwhile. */
  ids: string[];
  /** Whether there may be more. */
  hasMore: boolean;
}

/** One problem in the input, at a path such as `["feedback", "rating"]`. */
export interface ValidationIssue {
  path: (string | number)[];
  message: string;
}

/**
 * Every way a well-formed request can fail. Failures are returned and not thrown, because an error loses its class and
 * fields at an RPC boundary. One exhaustive table turns them into HTTP (`routes/http/problem.ts`).
 */
export type Failure =
  /** `suggestion`: an id that exists and was probably meant. `field`: of the input, with the id, where dialects name it. */
  | { reason: "not-found"; resource: ResourceType; id: string | null; suggestion?: string; field?: string }
  | { reason: "session-not-active" }
  | { reason: "session-full" }
  | { reason: "context-too-small" }
  | { reason: "invalid"; issues: ValidationIssue[] }
  /** `id` is that of the resource that exists, where the caller may see it. */
  | { reason: "already-exists"; resource: ResourceType; field: string; value: string; id?: string }
  | { reason: "in-use"; resource: ResourceType; users: Users }
  | { reason: "not-an-answer" }
  | { reason: "idempotency-conflict" }
  | { reason: "turn-queue-full"; retryAfterSeconds: number }
  | { reason: "too-many-subscribers"; resource?: "run" }
  | { reason: "session-moved-on"; lastSeq: number }
  | { reason: "turn-running" }
  | { reason: "human-handles" }
  /** A session is with another chatbot or endpoint than the one that is asked. */
  | { reason: "model-mismatch"; session?: { chatbotId: string | null; endpointId: string | null } }
  /** Of a message that is to be answered or changed in another way, or shown: what it is not. */
  | { reason: "nothing-to-answer" }
  | { reason: "nothing-to-edit" }
  | { reason: "nothing-to-show" }
  | { reason: "path-too-long" }
  | { reason: "too-many-hidden" }
  /** A conversation that a comparison is to be made from, or has been made from. */
  | { reason: "chat-too-long" }
  | { reason: "nothing-to-replay" }
  | { reason: "not-from-a-chat" }
  | { reason: "chat-not-active" }
  | { reason: "chat-turn-running"; sessionId: string }
  | { reason: "chat-moved-on"; sessionId: string; lastSeq: number; expectedSeq: number }
  | { reason: "nothing-to-adopt" }
  /** `next` is the first turn that was not put yet. */
  | { reason: "turns-left-out"; next: number }
  | { reason: "reply-failed"; code: ReplyErrorCode; message: string; retryAfterSeconds: number | null };

export interface Failed {
  ok: false;
  failure: Failure;
}
export type Outcome<T> = { ok: true; value: T } | Failed;

export const success = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });
export const failed = (failure: Failure): Failed => ({ ok: false, failure });
/** @param suggestion what exists and was probably meant */
export const notFound = (resource: ResourceType, id: string | null = null, suggestion: string | null = null): Failed =>
  failed({ reason: "not-found", resource, id, ...(suggestion === null ? {} : { suggestion }) });
export const invalid = (path: ValidationIssue["path"], message: string): Failed =>
  failed({ reason: "invalid", issues: [{ path, message }] });

/**
 * The part of an error that is safe to log: its first cause. Errors wrapped around it can contain messages of users, or
 * secrets.
 */
export function rootCause(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return rootCause(error.cause);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Thrown to end the work for a caller that has left. Nobody gets an answer then. */
export class CallerLeft extends Error {}
