/**
 * How a call fails: one class, with a `code` for each reason. Reads the failures of both dialects; those of `/v1` have no code,
 * so it is made from their status. Which failures are worth a repeat is decided in `retry.ts`. No effects.
 */
import type { ReplyErrorCode } from "./types.ts";

/** The codes of the Session API, besides those of failed replies. They only grow. */
type ApiErrorCode =
  | "body_too_large"
  | "context_too_small"
  | "forbidden"
  | "host_refused"
  | "human_handles"
  | "idempotency_conflict"
  | "identity_provider_unavailable"
  | "in_use"
  | "internal"
  | "invalid_idempotency_key"
  | "invalid_input"
  | "method_not_allowed"
  | "misconfigured"
  | "model_mismatch"
  | "not_an_answer"
  | "not_found"
  | "not_supported"
  | "nothing_to_answer"
  | "nothing_to_edit"
  | "nothing_to_show"
  | "origin_refused"
  | "path_too_long"
  | "route_not_found"
  | "session_full"
  | "session_moved_on"
  | "session_not_active"
  | "starting"
  | "still_under_way"
  | "taken"
  | "too_many_calls"
  | "too_many_followers"
  | "turn_queue_full"
  | "turn_running"
  | "unauthenticated"
  | "unavailable"
  | "unsupported_media_type"
  | "upgrade_required";

/**
 * Why a call failed. `conflict`: a 409 of `/v1`, whose message says which. `connection_failed`: no answer came, or it broke off. `stream_closed`: the server ended a stream
 * before its turn. `http_error`: an answer that Parley does not give, such as one of a proxy.
 */
export type ErrorCode =
  | ApiErrorCode
  | ReplyErrorCode
  | "conflict"
  | "connection_failed"
  | "stream_closed"
  | "http_error";

/** What is wrong with one field of the input. */
export interface ErrorDetail {
  /** Such as `feedback.rating`. */
  path: string;
  message: string;
  /** With code `taken`: the id of what has the value already. */
  id?: string;
}

interface ErrorFields {
  status: number;
  code: ErrorCode;
  details?: ErrorDetail[] | undefined;
  lastSeq?: number | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

/** A call that failed. */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly details: ErrorDetail[];
  /** With code `session_moved_on`: the last message of the session. */
  readonly lastSeq: number | undefined;
  /** Names the call in the server's logs. */
  readonly requestId: string | undefined;
  /** How long to wait before the call is made again, if the server says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, fields: ErrorFields, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = fields.status;
    this.code = fields.code;
    this.details = fields.details ?? [];
    this.lastSeq = fields.lastSeq;
    this.requestId = fields.requestId;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

const CODES_OF_STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_input",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  409: "conflict",
  413: "body_too_large",
  415: "unsupported_media_type",
  422: "invalid_input",
  429: "too_many_calls",
  500: "internal",
  503: "unavailable",
};

/** The body of a failure, in the form of any dialect. */
interface FailureBody {
  message?: string;
  detail?: string;
  error?: SessionApiError | InputError[];
}

interface SessionApiError {
  code?: ErrorCode;
  details?: ErrorDetail[];
  lastSeq?: number;
}

interface InputError {
  loc: (string | number)[];
  msg: string;
}

/** @param call such as `POST /sessions` */
export async function errorOf(call: string, answer: Response): Promise<ParleyError> {
  const { status, headers } = answer;
  const text = await answer.text().catch(() => "");
  const { code = "http_error", message = text.slice(0, 200), ...rest } = readBody(parseBody(text), status);
  return new ParleyError(`${call} failed with status ${status}: ${message}`, {
    status,
    code,
    ...rest,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: Number(headers.get("retry-after")) || undefined,
  });
}

interface ReadBody extends SessionApiError {
  message?: string;
}

/** @returns nothing for a body that is not Parley's */
function readBody({ message, detail, error }: FailureBody, status: number): ReadBody {
  if (Array.isArray(error)) return { code: "invalid_input", ...issuesOf(error) };
  if (detail !== undefined) return { code: CODES_OF_STATUSES[status] ?? "http_error", message: detail };
  return { ...(error?.code ? error : {}), ...(message === undefined ? {} : { message }) };
}

function issuesOf(errors: InputError[]): ReadBody {
  const details = errors.map(({ loc, msg }) => ({ path: loc.slice(1).join("."), message: msg }));
  return { details, message: details.map(({ path, message }) => `${path}: ${message}`).join("; ") };
}

function parseBody(text: string): FailureBody {
  try {
    return (JSON.parse(text) as FailureBody | null) ?? {};
  } catch {
    return {};
  }
}
