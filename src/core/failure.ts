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

/** The resource that was not found, already exists or is in use. */
export type ResourceType =
  | "session"
  | "chatbot"
  | "client"
  | "endpoint"
  | "prompt template"
  | "context strategy"
  | "key"
  | "chat";

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
  | { reason: "not-found"; resource: ResourceType; id: string | null }
  | { reason: "session-not-active" }
  | { reason: "session-full" }
  | { reason: "invalid"; issues: ValidationIssue[] }
  | { reason: "already-exists"; resource: ResourceType; field: string; value: string }
  | { reason: "in-use"; resource: ResourceType; by: string }
  | { reason: "idempotency-conflict" }
  | { reason: "turn-queue-full"; retryAfterSeconds: number }
  | { reason: "too-many-subscribers" }
  | { reason: "reply-failed"; code: ReplyErrorCode; message: string; retryAfterSeconds: number | null };

export interface Failed {
  ok: false;
  failure: Failure;
}
export type Outcome<T> = { ok: true; value: T } | Failed;

export const success = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });
export const failed = (failure: Failure): Failed => ({ ok: false, failure });
export const notFound = (resource: ResourceType, id: string | null = null): Failed =>
  failed({ reason: "not-found", resource, id });
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
