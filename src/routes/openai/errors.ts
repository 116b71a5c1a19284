/**
 * OpenAI's error objects: what its clients make their typed errors of, and whether they repeat a call. Which problems there
 * are is in `routes/http/problem.ts`. No effects. https://platform.openai.com/docs/guides/error-codes
 */
import type * as z from "zod";
import type { ReplyErrorCode } from "../../core/failure.ts";
import { describeProblem } from "../http/problem.ts";
import type { HttpProblem, ProblemResponse } from "../http/problem.ts";
import { modelIdOf } from "./model-ids.ts";
import type { OpenaiFailure } from "./response-schemas.ts";

/** A problem as OpenAI's API would answer it. */
export interface ErrorResponse {
  httpStatus: ProblemResponse["httpStatus"];
  headers: Record<string, string>;
  body: z.output<typeof OpenaiFailure>;
}

/** Codes of issues that say more than that the input is invalid. */
export const ISSUE_CODES = [
  "unsupported_content",
  "unsupported_parameter",
  "model_mismatch",
  "previous_response_not_found",
] as const;

/** OpenAI's names, which its clients know, for codes of Parley. */
const OPENAI_CODES: ReadonlyMap<string, string> = new Map([
  ["unauthenticated", "invalid_api_key"],
  ["rate_limited", "rate_limit_exceeded"],
  ["too_many_calls", "rate_limit_exceeded"],
]);

/** Fields of which only the values are taken that ask for nothing. */
const UNSUPPORTED_FIELDS: ReadonlySet<unknown> = new Set([
  "tools",
  "tool_choice",
  "text",
  "include",
  "truncation",
  "service_tier",
  "background",
  "n",
]);

/** Failures of replies whose status is another one in OpenAI's API. */
const STATUSES: ReadonlyMap<string, ErrorResponse["httpStatus"]> = new Map([
  ["rate_limited", 429],
  ["provider_rejected", 400],
]);

/** What passes by itself, so that the same call may succeed later. */
const PASSING_REASONS: ReadonlySet<HttpProblem["reason"]> = new Set([
  "still-under-way",
  "too-many-calls",
  "too-many-subscribers",
  "turn-queue-full",
  "unavailable",
  "reader-too-slow",
  "identity-provider-unavailable",
  "starting",
]);

const PASSING_REPLY_ERRORS: ReadonlySet<ReplyErrorCode> = new Set([
  "rate_limited",
  "provider_overloaded",
  "provider_error",
  "provider_timeout",
  "connection_lost",
  "incomplete_stream",
  "bad_chunk",
  "interrupted",
]);

/**
 * A provider's 429 is 429 here, and what it does not accept of a call is 400: clients such as the AI SDK and LangChain repeat
 * every 5xx, whatever `x-should-retry` says. OpenAI's clients repeat 409, 429 and 5xx by themselves; `x-should-retry: false` stops them
 * where that mends nothing.
 */
export function errorResponse(problem: HttpProblem): ErrorResponse {
  const { httpStatus: described, code, message, headers = {} } = describeProblem(problem);
  const httpStatus = STATUSES.get(code) ?? described;
  return {
    httpStatus,
    headers: isPassing(problem) ? headers : { ...headers, "x-should-retry": "false" },
    body: {
      error: {
        message: message + modelIn(problem),
        type: typeOf(httpStatus),
        param: paramOf(problem),
        code: codeOf(problem, code),
      },
    },
  };
}

const isPassing = (problem: HttpProblem): boolean =>
  problem.reason === "reply-failed" ? PASSING_REPLY_ERRORS.has(problem.code) : PASSING_REASONS.has(problem.reason);

function typeOf(httpStatus: number): string {
  if (httpStatus >= 500) return "server_error";
  if (httpStatus === 401) return "authentication_error";
  if (httpStatus === 403) return "permission_error";
  return httpStatus === 429 ? "rate_limit_error" : "invalid_request_error";
}

function codeOf(problem: HttpProblem, code: string): string {
  if (isMissingModel(problem)) return "model_not_found";
  if (problem.reason !== "invalid-input") return OPENAI_CODES.get(code) ?? code;
  const [issue] = problem.issues;
  if (UNSUPPORTED_FIELDS.has(issue?.path[0])) return "unsupported_parameter";
  const issueCode: unknown = issue?.code;
  return ISSUE_CODES.find((known) => known === issueCode) ?? OPENAI_CODES.get(code) ?? code;
}

/** The field at fault as OpenAI names it, such as `messages[0].content`. */
function paramOf(problem: HttpProblem): string | null {
  if (isMissingModel(problem) || problem.reason === "model-mismatch") return "model";
  if (problem.reason === "not-found" && problem.field !== undefined) return problem.field;
  const path = "issues" in problem ? (problem.issues[0]?.path ?? []) : [];
  if (path.length === 0) return null;
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${step}`))
    .join("");
}

/** The model that a session is with. Objects of the last release do not say it. */
const modelIn = (problem: HttpProblem): string =>
  problem.reason === "model-mismatch" && problem.session ? `: ${modelIdOf(problem.session)}` : "";

const isMissingModel = (problem: HttpProblem): boolean =>
  problem.reason === "not-found" && problem.resource === "model";

/** The problem of an input that OpenAI's API would take, and Parley does not; or that does not fit the rest of the call. */
export const unsupported = (
  code: (typeof ISSUE_CODES)[number],
  path: (string | number)[],
  message: string,
  place: "body" | "query" = "body",
): HttpProblem => ({ reason: "invalid-input", in: place, issues: [{ code, path, message }] });

/** What only a stream has, for an answer that is none. OpenAI's API refuses it too. @returns the problem, if there is one */
export const checkStreamOptions = (input: { stream?: unknown; stream_options?: unknown }): HttpProblem | null =>
  input.stream === true || input.stream_options == null ? null : ONLY_STREAMED;

const ONLY_STREAMED = unsupported("unsupported_parameter", ["stream_options"], "is only allowed with stream: true");
