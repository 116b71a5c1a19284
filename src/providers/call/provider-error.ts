/**
 * Finds the errors that providers report, in whatever form: in a stream, in a document with status 200, or in the body of
 * a refusal. Says what failed in the provider's words, and gives it the code of its class. Pure.
 */
import type { ReplyErrorCode } from "../../core/failure.ts";
import type { ReplyEnd, ReplyFailed } from "../../core/reply.ts";
import { replyFailed } from "../../core/reply.ts";
import { isObject, listOf, objectOf, wordOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";
import { retryInfoMs } from "./retry-after.ts";

/** How deep errors are nested at most: a message that is an object may hold a list of details. */
const MAX_DEPTH = 6;

export interface ProviderError {
  /** What the provider says of it. */
  words: string;
  /** The HTTP status of its class; `null` where nothing says it. */
  status: number | null;
  /** How long the provider asks to wait, in milliseconds. */
  retryAfterMs: number | null;
  /** A content filter caught the prompt or the reply: an answer rather than an error. */
  isFiltered: boolean;
}

/**
 * The error that a document reports, or `null`.
 *
 * @param isErrorEvent whether the stream itself calls the document an error
 */
export function errorIn(document: JsonObject, isErrorEvent = false): ProviderError | null {
  const { error, errors } = document;
  if (isFilled(error)) return describeError(error, document);
  if (isFilled(errors)) return describeError(errors, document);
  if (
    isErrorEvent ||
    document["object"] === "error" ||
    document["type"] === "error" ||
    isFilled(document["error_code"])
  )
    return describeError(document, {});
  const vendor = Object.keys(document).find(
    (key) => key.startsWith("x_") && isFilled(objectOf(document[key])["error"]),
  );
  return vendor === undefined ? null : describeError(objectOf(document[vendor])["error"], {});
}

/** Fields that hold the words of an error, the best first. */
const WORD_FIELDS = [
  "message",
  "msg",
  "detail",
  "error_msg",
  "error_message",
  "errmsg",
  "status_msg",
  "error_description",
  "description",
  "Message",
  "title",
  "text",
  "reason",
  "error",
  "errors",
  "base_resp",
] as const;

/** Whether a document of no known form reads like an error: it has words for people, and nothing of an answer. */
export const readsLikeError = (document: JsonObject): boolean =>
  WORD_FIELDS.some((field) => field !== "text" && isFilled(document[field]));

/** @param document what the error stands in: it may say more */
export function describeError(error: unknown, document: JsonObject): ProviderError {
  const source = listOf(error).find(isObject) ?? error;
  const { error: _, errors: __, ...beside } = document;
  const places = [objectOf(source), beside];
  const named = typeof source === "string" && /^[\w.-]+$/.test(source) ? [source] : [];
  const names = [...named, ...places.flatMap((place) => NAME_FIELDS.flatMap((field) => wordOf(place[field]) ?? []))];
  return {
    words: wordsOf(error, beside),
    status: places.map(statusIn).find((status) => status !== null) ?? statusNamed(names),
    retryAfterMs: retryInfoMs(objectOf(source)),
    isFiltered: names.some((name) => FILTERS.has(name)) || FILTERS.has(innerCode(objectOf(source))),
  };
}

const isFilled = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? Object.values(value).some(isFilled) : Boolean(value);
};

function wordsOf(error: unknown, beside: JsonObject): string {
  const words = wordsIn(error, 0);
  const more = wordsIn(beside, 0);
  if (words === null) return more ?? namesIn(objectOf(error)) ?? namesIn(beside) ?? JSON.stringify(error);
  // {"error": "Bad Request", "message": "max_tokens is too large"}: the first is only the status in words.
  return typeof error === "string" && more !== null ? `${words}: ${more}` : words;
}

function wordsIn(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value.trim() || null;
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value))
    return together(
      value.flatMap((item) => wordsIn(item, depth + 1) ?? []),
      "; ",
    );
  return isObject(value) ? wordsOfObject(value, depth) : null;
}

const together = (words: string[], between: string): string | null =>
  words.length > 0 ? [...new Set(words)].join(between) : null;

function wordsOfObject(value: JsonObject, depth: number): string | null {
  const field = WORD_FIELDS.find((name) => isFilled(value[name]) && value[name] !== true);
  if (field === undefined) return null;
  const own = wordsIn(value[field], depth + 1) ?? JSON.stringify(value[field]);
  // FastAPI names the field: {"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}.
  const place = listOf(value["loc"]).map(wordOf).filter(Boolean).join(".");
  const words = place === "" ? own : `${place}: ${own}`;
  // A gateway keeps the words of the provider behind it here: https://openrouter.ai/docs/api-reference/errors
  const raw = wordsIn(objectOf(value["metadata"])["raw"], depth + 1);
  return raw === null || words.includes(raw) ? words : `${words}: ${raw}`;
}

const NAME_FIELDS = ["type", "code", "error_type", "status", "name", "error_code"] as const;

function namesIn(error: JsonObject): string | null {
  return together(
    NAME_FIELDS.flatMap((field) => wordOf(error[field]) ?? []),
    " ",
  );
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

function statusIn(place: JsonObject): number | null {
  for (const field of STATUS_FIELDS) {
    const code = Number(wordOf(place[field]) ?? NaN);
    const status = FIVE_DIGITS.get(code) ?? (code >= 40_000 ? Math.floor(code / 100) : code);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return null;
}

/**
 * FastChat's codes begin with an HTTP status, but these, whose class is another one: a wrong model, wrong params, too long a
 * context, and a server that is overloaded. https://github.com/lm-sys/FastChat/blob/main/fastchat/constants.py
 */
const FIVE_DIGITS: ReadonlyMap<number, number> = new Map([
  [40_301, 400],
  [40_302, 400],
  [40_303, 400],
  [42_903, 503],
]);

/** What classes are called in types and codes, with the HTTP status that stands for each. The first that fits counts. */
const CLASS_NAMES: [RegExp, number][] = [
  [/overloaded|capacity|unavailable|engine_busy|insufficient_system_resource/, 503],
  [/rate_?limit|too_?many|quota|resource_?exhausted|throttl/, 429],
  [/unauthenticated|unauthorized|authentication|api_?key/, 401],
  [/permission|forbidden|access_?denied/, 403],
  [/not_?found/, 404],
  [/invalid|bad_?request|context_(length|size)|unsupported|validation|precondition|unprocessable/, 400],
  [/server_?error|internal|timeout|deadline/, 500],
];

function statusNamed(names: string[]): number | null {
  for (const [pattern, status] of CLASS_NAMES)
    if (names.some((name) => pattern.test(name.toLowerCase()))) return status;
  return null;
}

/** https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter */
const FILTERS: ReadonlySet<string> = new Set(["content_filter", "ResponsibleAIPolicyViolation"]);

const innerCode = (error: JsonObject): string =>
  wordOf(objectOf(error["innererror"])["code"]) ?? wordOf(objectOf(error["inner_error"])["code"]) ?? "";

/** What an error inside an answer comes to: a failure of its class, or an answer that a filter ended. */
export function failureInStream(error: ProviderError, providerRequestId: string | null): ReplyEnd | ReplyFailed {
  if (error.isFiltered) return filteredReply(providerRequestId);
  const message = `The provider reported an error: ${error.words}`;
  return error.status === null
    ? replyFailed("provider_error", message, { providerRequestId })
    : failureOfStatus(error.status, message, { afterMs: error.retryAfterMs, providerRequestId });
}

/** A reply of which nothing was said, because a filter would not have it. */
export const filteredReply = (providerRequestId: string | null): ReplyEnd => ({
  type: "end",
  finishReason: "content_filter",
  finishReasonRaw: "content_filter",
  model: null,
  usage: null,
  providerRequestId,
});

/** The failure that an HTTP status stands for, and whether the call is worth making again. */
export function failureOfStatus(
  httpStatus: number,
  message: string,
  { afterMs = null, providerRequestId = null }: { afterMs?: number | null; providerRequestId?: string | null } = {},
): ReplyFailed {
  return replyFailed(codeOf(httpStatus), message, {
    retryAfterSeconds: afterMs === null ? null : Math.ceil(afterMs / 1000),
    providerRequestId,
    ...(isPassing(httpStatus) ? { retry: { afterMs } } : {}),
  });
}

/** Whether a refusal may pass: a time-out, a conflict, a limit, or a fault on the provider's side. */
const isPassing = (httpStatus: number): boolean => [408, 409, 429, 498].includes(httpStatus) || httpStatus >= 500;

function codeOf(httpStatus: number): ReplyErrorCode {
  if (httpStatus >= 300 && httpStatus < 400) return "refused_by_guard";
  if (httpStatus === 401 || httpStatus === 403) return "provider_auth";
  if (httpStatus === 429) return "rate_limited";
  // 498 is Groq's for no capacity, 529 Anthropic's.
  if ([498, 503, 529].includes(httpStatus)) return "provider_overloaded";
  if (httpStatus >= 400 && httpStatus < 500) return "provider_rejected";
  return "provider_error";
}

/** The error that the body of a refusal reports: JSON in any form, events, a web page, or plain text. */
export function errorInBody(body: string): ProviderError {
  const text = body.replace(/^(event|data|error): ?/gm, "").trim();
  try {
    const json: unknown = JSON.parse(text);
    const document = isObject(json) ? json : (listOf(json).find(isObject) ?? null);
    if (document) return errorIn(document) ?? describeError(document, {});
  } catch {
    // A body that is no JSON is text.
  }
  return { words: plainWords(text), status: null, retryAfterMs: null, isFiltered: false };
}

/** The words of a text: of a web page its title. */
export function plainWords(text: string): string {
  const title = /<(title|h1)[^>]*>([^<]+)</i.exec(text)?.[2];
  const words = title ?? (isWebPage(text) ? text.replace(/<[^>]*>/g, " ") : text);
  return words.replace(/\s+/g, " ").trim();
}

export const isWebPage = (text: string): boolean => /^\s*<(!doctype|html|head|body|\?xml|p|h1|center)\b/i.test(text);
