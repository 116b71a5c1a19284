/**
 * What an error of a provider means: its HTTP status, whether a content filter caused it, and the failure of the reply.
 * Finding an error in a response does not belong here: that is `find-provider-error.ts`. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { stringOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";

export interface ProviderError {
  /** The provider's message. */
  message: string;
  /** The HTTP status that describes the error; `null` if nothing indicates one. */
  status: number | null;
  /** The wait that the provider requests, in milliseconds. */
  retryAfterMs: number | null;
  /** Whether a content filter rejected the prompt or the reply. That is a reply and not an error. */
  isFiltered: boolean;
}

const STATUS_FIELDS = [
  "http_status_code",
  "code",
  "status",
  "status_code",
  "statusCode",
  "http_status",
  "error_code",
] as const;

/** The HTTP status in a field of an error; `null` if there is none. */
export function statusIn(source: JsonObject): number | null {
  for (const field of STATUS_FIELDS) {
    const code = Number(stringOf(source[field]) ?? NaN);
    const status = FIVE_DIGIT_CODES.get(code) ?? (code >= 40_000 ? Math.floor(code / 100) : code);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return null;
}

/**
 * FastChat's codes begin with an HTTP status, except these: wrong model, wrong params, too long a context, overloaded
 * server. https://github.com/lm-sys/FastChat/blob/main/fastchat/constants.py
 */
const FIVE_DIGIT_CODES: ReadonlyMap<number, number> = new Map([
  [40_301, 400],
  [40_302, 400],
  [40_303, 400],
  [42_903, 503],
]);

/** Names of errors in types and codes, with their HTTP status. The first match wins. */
const STATUS_PATTERNS: [RegExp, number][] = [
  [/overloaded|capacity|unavailable|engine_busy|insufficient_system_resource/, 503],
  [/rate_?limit|too_?many|quota|resource_?exhausted|throttl/, 429],
  [/unauthenticated|unauthorized|authentication|api_?key/, 401],
  [/permission|forbidden|access_?denied/, 403],
  [/not_?found/, 404],
  [/invalid|bad_?request|context_(length|size)|unsupported|validation|precondition|unprocessable/, 400],
  [/server_?error|internal|timeout|deadline/, 500],
];

/** The HTTP status that types and codes of an error stand for; `null` if none is known. */
export function statusOfNames(names: string[]): number | null {
  for (const [pattern, status] of STATUS_PATTERNS)
    if (names.some((name) => pattern.test(name.toLowerCase()))) return status;
  return null;
}

/** https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter */
const CONTENT_FILTER_CODES: ReadonlySet<string> = new Set(["content_filter", "ResponsibleAIPolicyViolation"]);

export const isContentFilter = (name: string): boolean => CONTENT_FILTER_CODES.has(name);

/** The failure for an error within a response, or a filtered reply. */
export function failureInStream(error: ProviderError, providerRequestId: string | null): ReplyEnd | ReplyFailure {
  if (error.isFiltered) return filteredReply(providerRequestId);
  const message = `The provider reported an error: ${error.message}`;
  return error.status === null
    ? replyFailure("provider_error", message, { providerRequestId })
    : failureOfStatus(error.status, message, { afterMs: error.retryAfterMs, providerRequestId });
}

/** A reply without text, because a content filter blocked it. */
export const filteredReply = (providerRequestId: string | null): ReplyEnd => ({
  type: "end",
  finishReason: "content_filter",
  finishReasonRaw: "content_filter",
  model: null,
  usage: null,
  providerRequestId,
});

/** The failure for an HTTP status, and whether a retry makes sense. */
export function failureOfStatus(
  httpStatus: number,
  message: string,
  { afterMs = null, providerRequestId = null }: { afterMs?: number | null; providerRequestId?: string | null } = {},
): ReplyFailure {
  return replyFailure(codeOf(httpStatus), message, {
    retryAfterSeconds: afterMs === null ? null : Math.ceil(afterMs / 1000),
    providerRequestId,
    ...(isRetryable(httpStatus) ? { retry: { afterMs } } : {}),
  });
}

/** Whether an error may be temporary: a timeout, a conflict, a limit, or an error of the provider. */
const isRetryable = (httpStatus: number): boolean => [408, 409, 429, 498].includes(httpStatus) || httpStatus >= 500;

function codeOf(httpStatus: number): ReplyErrorCode {
  if (httpStatus >= 300 && httpStatus < 400) return "refused_by_guard";
  if (httpStatus === 401 || httpStatus === 403) return "provider_auth";
  if (httpStatus === 429) return "rate_limited";
  // 498 is Groq's status for missing capacity, 529 Anthropic's for overload.
  if ([498, 503, 529].includes(httpStatus)) return "provider_overloaded";
  if (httpStatus >= 400 && httpStatus < 500) return "provider_rejected";
  return "provider_error";
}
