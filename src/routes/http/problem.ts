import type { Failure, ReplyErrorCode, ValidationIssue, ResourceType } from "../../core/failure.ts";

/** A fault in a body or a query, with what was there. */
export interface InputIssue extends ValidationIssue {
  code: string;
  input?: unknown;
}

/** Why a call is turned away: at the door, or by what it asked for. */
export type HttpProblem =
  | Failure
  | { reason: "route-not-found" }
  | { reason: "method-not-allowed"; allow: string[] }
  | { reason: "unauthenticated" }
  | { reason: "forbidden" }
  | { reason: "too-many-calls"; retryAfterSeconds: number }
  | { reason: "identity-unknowable" }
  | { reason: "origin-refused" }
  | { reason: "upgrade-required" }
  | { reason: "idempotency-key-invalid" }
  | { reason: "still-under-way"; retryAfterSeconds: number }
  | { reason: "unsupported-media-type" }
  | { reason: "body-too-large" }
  | { reason: "invalid-input"; in: "body" | "query"; issues: InputIssue[] }
  | { reason: "misconfigured"; message: string }
  | { reason: "internal" };

/** A refusal in the terms of HTTP. */
export interface ProblemAnswer {
  httpStatus: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 426 | 429 | 500 | 502 | 503 | 504;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/** The largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 1_048_576;

type ProblemTable = {
  [Reason in HttpProblem["reason"]]: (refusal: Extract<HttpProblem, { reason: Reason }>) => ProblemAnswer;
};

const PROBLEMS: ProblemTable = {
  "route-not-found": () => ({ httpStatus: 404, code: "route_not_found", message: "There is no such route" }),
  "method-not-allowed": ({ allow }) => ({
    httpStatus: 405,
    code: "method_not_allowed",
    message: `This route takes ${allow.join(", ")}`,
    headers: { allow: allow.join(", ") },
  }),
  unauthenticated: () => ({
    httpStatus: 401,
    code: "unauthenticated",
    message: "A valid token is needed: Authorization: Bearer <token>",
    headers: { "www-authenticate": "Bearer" },
  }),
  forbidden: () => ({ httpStatus: 403, code: "forbidden", message: "This token may not do that" }),
  "identity-unknowable": () => ({
    httpStatus: 503,
    code: "identity_provider_unavailable",
    message: "The identity provider's keys cannot be read now, so this token cannot be checked",
    headers: { "retry-after": "5" },
  }),
  "origin-refused": () => ({
    httpStatus: 403,
    code: "origin_refused",
    message: "Pages of this origin may not do that here: see ALLOWED_ORIGINS",
  }),
  "upgrade-required": () => ({
    httpStatus: 426,
    code: "upgrade_required",
    message: "This route opens a WebSocket: send Upgrade: websocket",
    headers: { upgrade: "websocket", connection: "upgrade" },
  }),
  "unsupported-media-type": () => ({
    httpStatus: 415,
    code: "unsupported_media_type",
    message: "The body must be application/json",
  }),
  "body-too-large": () => ({
    httpStatus: 413,
    code: "body_too_large",
    message: `The body is larger than ${MAX_BODY_BYTES} bytes`,
  }),
  "invalid-input": ({ issues }) => ({ httpStatus: 400, code: "invalid_input", message: invalidMessage(issues) }),
  invalid: ({ issues }) => ({ httpStatus: 400, code: "invalid_input", message: invalidMessage(issues) }),
  "not-found": ({ resource, id }) => ({ httpStatus: 404, code: "not_found", message: notFoundMessage(resource, id) }),
  "session-not-active": () => ({ httpStatus: 404, code: "session_not_active", message: "Active session not found" }),
  "already-exists": ({ resource, field, value }) => ({
    httpStatus: 409,
    code: "taken",
    message: `Another ${resource} has the ${field} "${value}"`,
  }),
  "in-use": ({ resource, by }) => ({ httpStatus: 409, code: "in_use", message: `The ${resource} is in use by ${by}` }),
  "idempotency-conflict": () => ({
    httpStatus: 409,
    code: "idempotency_conflict",
    message: "Something else was sent under this Idempotency-Key",
  }),
  "idempotency-key-invalid": () => ({
    httpStatus: 400,
    code: "invalid_idempotency_key",
    message: "An Idempotency-Key is 1 to 200 visible ASCII characters",
  }),
  "still-under-way": ({ retryAfterSeconds }) => ({
    httpStatus: 409,
    code: "still_under_way",
    message: "The first call under this Idempotency-Key has not been answered yet",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "too-many-calls": ({ retryAfterSeconds }) => ({
    httpStatus: 429,
    code: "too_many_calls",
    message: "Too many calls: come again later",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "too-many-subscribers": () => ({
    httpStatus: 429,
    code: "too_many_followers",
    message: "Too many follow this session",
    headers: { "retry-after": "60" },
  }),
  "turn-queue-full": ({ retryAfterSeconds }) => ({
    httpStatus: 429,
    code: "turn_queue_full",
    message: "Too many turns wait in this session",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "reply-failed": ({ code, message, retryAfterSeconds }) => replyFailure(code, message, retryAfterSeconds),
  misconfigured: ({ message }) => ({ httpStatus: 503, code: "misconfigured", message }),
  internal: () => ({ httpStatus: 500, code: "internal", message: "Something went wrong on our side" }),
};

/** What a refusal is in HTTP. Each dialect puts it in its own form. */
export const describeProblem = (refusal: HttpProblem): ProblemAnswer =>
  // The table has a row for each reason, and a row takes only refusals of its reason.
  (PROBLEMS[refusal.reason] as (refusal: HttpProblem) => ProblemAnswer)(refusal);

/** When to come again if an overloaded provider does not say, in seconds. */
const DEFAULT_RETRY_SECONDS = 5;

function replyFailure(code: ReplyErrorCode, message: string, retryAfterSeconds: number | null): ProblemAnswer {
  if (code === "provider_timeout") return { httpStatus: 504, code, message };
  if (code !== "rate_limited" && code !== "provider_overloaded") return { httpStatus: 502, code, message };
  return {
    httpStatus: 503,
    code,
    message,
    headers: { "retry-after": String(retryAfterSeconds ?? DEFAULT_RETRY_SECONDS) },
  };
}

const invalidMessage = (issues: ValidationIssue[]): string => {
  const [fault] = issues;
  if (!fault) return "Invalid input";
  return fault.path.length > 0
    ? `Invalid input: ${fault.path.join(".")}: ${fault.message}`
    : `Invalid input: ${fault.message}`;
};

const notFoundMessage = (resource: ResourceType, id: string | null): string => {
  const name = resource.charAt(0).toUpperCase() + resource.slice(1);
  return id === null ? `${name} not found` : `${name} "${id}" not found`;
};
