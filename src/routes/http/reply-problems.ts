/** The problems of a reply, and of who reads it: a part of the table in `problem.ts`. No effects. */
import type { ReplyErrorCode } from "../../core/failure.ts";

interface FailedReply {
  code: ReplyErrorCode;
  message: string;
  retryAfterSeconds: number | null;
}

/** `Retry-After` when an overloaded provider gives none, in seconds. */
const DEFAULT_RETRY_SECONDS = 5;

export const REPLY_PROBLEMS = {
  "reply-failed": ({ code, message, retryAfterSeconds }: FailedReply) => {
    if (code === "provider_timeout") return { httpStatus: 504 as const, code, message };
    if (code !== "rate_limited" && code !== "provider_overloaded") return { httpStatus: 502 as const, code, message };
    const headers = { "retry-after": String(retryAfterSeconds ?? DEFAULT_RETRY_SECONDS) };
    return { httpStatus: 503 as const, code, message, headers };
  },
  "reader-too-slow": () => ({
    httpStatus: 503 as const,
    code: "reader_too_slow",
    message: "This stream was read too slowly, or its connection was lost. The reply goes on",
    headers: { "retry-after": "1" },
  }),
};
