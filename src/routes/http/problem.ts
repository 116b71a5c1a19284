/**
 * How a call can fail over HTTP, and the status, code and message of each case: one closed union and one table. Each
 * dialect puts the result in its own form. Failures of the rules themselves are in `core/failure.ts`. No effects.
 */
import { MAX_LOG_BYTES, MAX_LOG_MESSAGES } from "../../core/message.ts";
import type { TransientError } from "../../core/transient-error.ts";
import type { Failure, ValidationIssue } from "../../core/failure.ts";

import { BRIDGE_PROBLEMS } from "./bridge-problems.ts";
import { REPLY_PROBLEMS } from "./reply-problems.ts";
import { invalidMessage, notFoundMessage, usersText } from "./problem-texts.ts";

/** What is invalid in a body or a query, with the invalid value. */
export interface InputIssue extends ValidationIssue {
  code: string;
  input?: unknown;
}

/** Why a call fails: by a check of HTTP, or by a rule of what it asked for. */
export type HttpProblem =
  | Failure
  | { reason: "route-not-found" }
  | { reason: "method-not-allowed"; allow: string[] }
  /** `hasEnded`: the token was valid when the call began. */
  | { reason: "unauthenticated"; hasEnded?: true }
  | { reason: "ticket-refused" }
  /** Of a stream of a reply. */
  | { reason: "reader-too-slow" }
  | { reason: "forbidden"; message: string }
  | { reason: "token-in-subprotocol" }
  | { reason: "too-many-calls"; retryAfterSeconds: number }
  | { reason: "identity-provider-unavailable" }
  | { reason: "origin-refused" }
  | { reason: "page-refused" }
  | { reason: "host-refused" }
  | { reason: "starting" }
  | { reason: "upgrade-required" }
  | { reason: "idempotency-key-invalid" }
  | { reason: "idempotency-key-without-token" }
  | { reason: "still-under-way"; retryAfterSeconds: number }
  /** `types`: the content types that the route takes, if it is not JSON alone. */
  | { reason: "unsupported-media-type"; types?: string }
  | { reason: "body-too-large"; maxBytes?: number }
  | { reason: "invalid-input"; in: "body" | "query" | "path"; issues: InputIssue[] }
  | { reason: "not-supported"; message: string }
  | { reason: "misconfigured"; message: string }
  | { reason: "unavailable"; because: TransientError }
  | { reason: "internal" };

/** A problem in the terms of HTTP. */
export interface ProblemResponse {
  httpStatus: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 426 | 429 | 500 | 502 | 503 | 504;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/** The largest body that a route reads, in bytes. */
export const MAX_BODY_BYTES = 1_048_576;

const CONTEXT_TOO_SMALL =
  "The message and the system prompt have more tokens than context.maxTokens of the chatbot: shorten one, or raise it";

type ProblemTable = {
  [Reason in HttpProblem["reason"]]: (problem: Extract<HttpProblem, { reason: Reason }>) => ProblemResponse;
};

const PROBLEMS: ProblemTable = {
  "route-not-found": () => ({ httpStatus: 404, code: "route_not_found", message: "Route not found" }),
  "method-not-allowed": ({ allow }) => ({
    httpStatus: 405,
    code: "method_not_allowed",
    message: `This route allows ${allow.join(", ")}`,
    headers: { allow: allow.join(", ") },
  }),
  unauthenticated: ({ hasEnded = false }) => ({
    httpStatus: 401,
    code: "unauthenticated",
    message: hasEnded
      ? "This token is no longer valid: it was revoked, or has expired. The reply goes on"
      : "A valid token is required: Authorization: Bearer <token>",
    headers: { "www-authenticate": "Bearer" },
  }),
  "ticket-refused": () => ({
    httpStatus: 401,
    code: "unauthenticated",
    message: "This ticket has been used, has expired, or is for another session: get a new one",
    headers: { "www-authenticate": "Bearer" },
  }),
  forbidden: ({ message }) => ({ httpStatus: 403, code: "forbidden", message }),
  "token-in-subprotocol": () => ({
    httpStatus: 403,
    code: "forbidden",
    message: "Only a token of role client may be in Sec-WebSocket-Protocol: open the socket with a ticket instead",
  }),
  "identity-provider-unavailable": () => ({
    httpStatus: 503,
    code: "identity_provider_unavailable",
    message: "The keys of the identity provider cannot be read now, so this token cannot be checked",
    headers: { "retry-after": "5" },
  }),
  "origin-refused": () => ({
    httpStatus: 403,
    code: "origin_refused",
    message: "Pages of this origin are not allowed to do this: see ALLOWED_ORIGINS",
  }),
  "page-refused": () => ({
    httpStatus: 403,
    code: "origin_refused",
    message:
      "A local start with the public admin key refuses calls that look like a browser's and have no Origin: set an ADMIN_KEY of your own in .dev.vars",
  }),
  "host-refused": () => ({
    httpStatus: 403,
    code: "host_refused",
    message: "A local start answers only to localhost: see ALLOWED_HOSTS",
  }),
  starting: () => ({
    httpStatus: 503,
    code: "starting",
    message: "The local database is not prepared yet: npm start prepares it, also with --persist-to",
    headers: { "retry-after": "1" },
  }),
  "upgrade-required": () => ({
    httpStatus: 426,
    code: "upgrade_required",
    message: "This route opens a WebSocket: send Upgrade: websocket",
    headers: { upgrade: "websocket", connection: "upgrade" },
  }),
  "unsupported-media-type": ({ types = "application/json" }) => ({
    httpStatus: 415,
    code: "unsupported_media_type",
    message: `The body must be ${types}`,
  }),
  "body-too-large": ({ maxBytes = MAX_BODY_BYTES }) => ({
    httpStatus: 413,
    code: "body_too_large",
    message: `The body is larger than ${maxBytes} bytes`,
  }),
  "invalid-input": ({ issues }) => ({ httpStatus: 400, code: "invalid_input", message: invalidMessage(issues) }),
  invalid: ({ issues }) => ({ httpStatus: 400, code: "invalid_input", message: invalidMessage(issues) }),
  "not-supported": ({ message }) => ({ httpStatus: 400, code: "not_supported", message: `not_supported: ${message}` }),
  "not-found": ({ resource, id, suggestion }) => ({
    httpStatus: 404,
    code: "not_found",
    message:
      notFoundMessage(resource, id) +
      (suggestion === undefined ? "" : `: did you mean ${resource === "endpoint" ? "the id " : ""}"${suggestion}"?`),
  }),
  "session-not-active": () => ({ httpStatus: 404, code: "session_not_active", message: "Active session not found" }),
  "session-full": () => ({
    httpStatus: 409,
    code: "session_full",
    message: `The log of this session is full: it has ${MAX_LOG_MESSAGES} messages or ${MAX_LOG_BYTES / 1_000_000} MB`,
  }),
  "context-too-small": () => ({ httpStatus: 400, code: "context_too_small", message: CONTEXT_TOO_SMALL }),
  "session-moved-on": ({ lastSeq }) => ({
    httpStatus: 409,
    code: "session_moved_on",
    message: `The last message of this session is ${lastSeq}: read what is new, and decide again`,
  }),
  "turn-running": () => ({
    httpStatus: 409,
    code: "turn_running",
    message: "A turn runs in this session: stop it, or wait for its end",
    headers: { "retry-after": "1" },
  }),
  "model-mismatch": () => ({ httpStatus: 400, code: "model_mismatch", message: "This session is with another model" }),
  "human-handles": () => ({
    httpStatus: 409,
    code: "human_handles",
    message: "A person handles this session: the chatbot answers again after the hand-back",
  }),
  "nothing-to-answer": () => ({
    httpStatus: 409,
    code: "nothing_to_answer",
    message: "This message is no reply of the chatbot to a user message, so it cannot be asked for again",
  }),
  "nothing-to-edit": () => ({
    httpStatus: 409,
    code: "nothing_to_edit",
    message: "Only user messages can be edited",
  }),
  "nothing-to-show": () => ({
    httpStatus: 409,
    code: "nothing_to_show",
    message: "This reply has no text, so it cannot be shown",
  }),
  "too-many-hidden": () => ({
    httpStatus: 409,
    code: "too_many_deleted",
    message: "Too many responses of this session were deleted: delete the session",
  }),
  ...BRIDGE_PROBLEMS,
  ...REPLY_PROBLEMS,
  "already-exists": ({ resource, field, value }) => ({
    httpStatus: 409,
    code: "taken",
    message: `Another ${resource} has the ${field} "${value}"`,
  }),
  "in-use": ({ resource, users }) => ({
    httpStatus: 409,
    code: "in_use",
    message: `The ${resource} is in use${users.ids.length === 0 ? "" : ` by ${usersText(users)}`}`,
  }),
  "not-an-answer": () => ({ httpStatus: 409, code: "not_an_answer", message: "Only an answer can be rated" }),
  "idempotency-conflict": () => ({
    httpStatus: 409,
    code: "idempotency_conflict",
    message: "This Idempotency-Key was already used with another body",
  }),
  "idempotency-key-invalid": () => ({
    httpStatus: 400,
    code: "invalid_idempotency_key",
    message: "An Idempotency-Key must be 1 to 200 visible ASCII characters",
  }),
  "idempotency-key-without-token": () => ({
    httpStatus: 400,
    code: "invalid_idempotency_key",
    message: "An Idempotency-Key needs a token: all callers without one look the same",
  }),
  "still-under-way": ({ retryAfterSeconds }) => ({
    httpStatus: 409,
    code: "still_under_way",
    message: "The first call with this Idempotency-Key is still running",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "too-many-calls": ({ retryAfterSeconds }) => ({
    httpStatus: 429,
    code: "too_many_calls",
    message: "Too many calls, or too many bad tokens from this address: try again later",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  "too-many-subscribers": ({ resource = "session" }) => ({
    httpStatus: 429,
    code: "too_many_followers",
    message: `This ${resource} has too many followers, or too many of them are yours: close one of yours, or try again later`,
    headers: { "retry-after": "60" },
  }),
  "turn-queue-full": ({ retryAfterSeconds }) => ({
    httpStatus: 429,
    code: "turn_queue_full",
    message: "Too many turns wait in this session",
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  misconfigured: ({ message }) => ({ httpStatus: 503, code: "misconfigured", message }),
  unavailable: ({ because }) => ({
    httpStatus: 503,
    code: "unavailable",
    message: "The database or the session cannot be reached now: try again",
    headers: { "retry-after": String(UNAVAILABLE_RETRY_SECONDS[because]) },
  }),
  internal: () => ({ httpStatus: 500, code: "internal", message: "Internal error" }),
};

/** `Retry-After` of calls that the platform failed, in seconds. A reset is over soon; an overload wants fewer calls. */
const UNAVAILABLE_RETRY_SECONDS: Readonly<Record<TransientError, number>> = { retryable: 1, overloaded: 10 };

/** Describes a problem in the terms of HTTP. */
export const describeProblem = (problem: HttpProblem): ProblemResponse =>
  // TypeScript cannot match the row of a reason with the problem of that reason.
  (PROBLEMS[problem.reason] as (problem: HttpProblem) => ProblemResponse)(problem);
