/**
 * Finds the errors that providers report, with their message: in a stream, in a document with status 200, or in the body
 * of an error response. What an error means does not belong here: that is `provider-error.ts`. Pure.
 */
import { isObject, listOf, objectOf, stringOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";
import { isContentFilter, statusIn, statusOfNames } from "./provider-error.ts";
import type { ProviderError } from "./provider-error.ts";
import { retryInfoMs } from "./retry-after.ts";

/** Levels of nesting that are searched for a message. */
const MAX_NESTING = 6;

/**
 * The error in a document, or `null`.
 *
 * @param isErrorEvent whether the event's name is `error`
 */
export function findError(document: JsonObject, isErrorEvent = false): ProviderError | null {
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
  // MiniMax reports a status beside the choices: https://platform.minimax.io/docs/api-reference/text-openai-api
  const status = objectOf(document["base_resp"])["status_code"];
  if (isFilled(status)) return describeError(document["base_resp"], {});
  const vendor = Object.keys(document).find(
    (key) => key.startsWith("x_") && isFilled(objectOf(document[key])["error"]),
  );
  return vendor === undefined ? null : describeError(objectOf(document[vendor])["error"], {});
}

/** Fields with an error's message, in order of preference. */
const MESSAGE_FIELDS = [
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
  "innererror",
  "inner_error",
] as const;
const MESSAGES: ReadonlySet<string> = new Set(MESSAGE_FIELDS.filter((field) => field !== "text"));

/** Whether a document of unknown format looks like an error: it has a message, or a field that is named like one. */
export const readsLikeError = (document: JsonObject): boolean =>
  Object.entries(document).some(
    ([field, value]) => /error|exception|fault/i.test(field) || (MESSAGES.has(field) && isFilled(value)),
  );

/** Whether a plain text looks like an error message. */
export const textReadsLikeError = (text: string): boolean =>
  /\b(error|exception|traceback|failed|failure|unavailable|timed? ?out|denied|bad gateway|[45]\d\d)\b/i.test(text);

/** @param document the document that contains the error and may have further fields */
export function describeError(error: unknown, document: JsonObject): ProviderError {
  // Some gateways send an error as the JSON text of one, others as a bare status.
  const encoded = typeof error === "string" ? parseObject(error) : null;
  if (encoded) return findError(encoded) ?? describeError(encoded, document);
  if (typeof error === "number") return describeError({ code: error }, document);
  const main = listOf(error).find(isObject) ?? error;
  const { error: _, errors: __, ...rest } = document;
  const sources = [objectOf(main), rest];
  const bareCode = typeof main === "string" && /^[\w.-]+$/.test(main) ? [main] : [];
  const names = [
    ...bareCode,
    ...sources.flatMap((source) => CODE_FIELDS.flatMap((field) => stringOf(source[field]) ?? [])),
  ];
  return {
    message: messageOf(error, rest),
    status: sources.map(statusIn).find((status) => status !== null) ?? statusOfNames(names),
    retryAfterMs: retryInfoMs(objectOf(main)),
    isFiltered: [...names, innerCode(objectOf(main))].some(isContentFilter),
  };
}

const innerCode = (error: JsonObject): string =>
  stringOf(objectOf(error["innererror"])["code"]) ?? stringOf(objectOf(error["inner_error"])["code"]) ?? "";

/** Deep nesting counts as content: following it to its end could overflow the stack. */
function isFilled(value: unknown, depth = 0): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (!isObject(value)) return Boolean(value);
  return depth > MAX_NESTING || Object.values(value).some((field) => isFilled(field, depth + 1));
}

function messageOf(error: unknown, rest: JsonObject): string {
  const message = messageIn(error, 0);
  const restMessage = messageIn(rest, 0);
  if (message === null) return restMessage ?? codesIn(objectOf(error)) ?? codesIn(rest) ?? preview(error);
  // {"error": "Bad Request", "message": "max_tokens is too large"}: the first text only repeats the status.
  return typeof error === "string" && restMessage !== null ? `${message}: ${restMessage}` : message;
}

function messageIn(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value.trim() || null;
  if (depth > MAX_NESTING) return null;
  if (Array.isArray(value))
    return joinUnique(
      value.flatMap((item) => messageIn(item, depth + 1) ?? []),
      "; ",
    );
  return isObject(value) ? messageOfObject(value, depth) : null;
}

const joinUnique = (messages: string[], separator: string): string | null =>
  messages.length > 0 ? [...new Set(messages)].join(separator) : null;

function messageOfObject(value: JsonObject, depth: number): string | null {
  const field = MESSAGE_FIELDS.find((name) => isFilled(value[name]) && value[name] !== true);
  if (field === undefined) return null;
  const ownMessage = messageIn(value[field], depth + 1) ?? preview(value[field]);
  // FastAPI reports the field: {"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}.
  const location = listOf(value["loc"]).map(stringOf).filter(Boolean).join(".");
  const message = location === "" ? ownMessage : `${location}: ${ownMessage}`;
  // A gateway has the upstream provider's message here: https://openrouter.ai/docs/api-reference/errors
  const raw = messageIn(objectOf(value["metadata"])["raw"], depth + 1);
  return raw === null || message.includes(raw) ? message : `${message}: ${raw}`;
}

const CODE_FIELDS = ["type", "code", "error_type", "status", "name", "error_code"] as const;

function codesIn(error: JsonObject): string | null {
  return joinUnique(
    CODE_FIELDS.flatMap((field) => stringOf(error[field]) ?? []),
    " ",
  );
}

/** The error in the body of an error response: JSON in any form, events, a web page or plain text. */
export function errorInBody(body: string): ProviderError {
  const text = body.replace(/^(event|data|error): ?/gm, "").trim();
  try {
    const json: unknown = JSON.parse(text);
    const document = isObject(json) ? json : (listOf(json).find(isObject) ?? null);
    if (document) return findError(document) ?? describeError(document, {});
  } catch {
    // The body is not JSON, so it is plain text.
  }
  return { message: plainText(text), status: null, retryAfterMs: null, isFiltered: false };
}

/** How much of a text is searched for its message, in characters: a pattern may take quadratic time. */
const MAX_TEXT = 8_192;

/** The text of a message; for a web page, its title. */
export function plainText(whole: string): string {
  const text = whole.slice(0, MAX_TEXT);
  const title = /<(title|h1)[^<>]{0,200}>([^<]{1,1000})</i.exec(text)?.[2];
  const message = title ?? (isWebPage(text) ? text.replace(/<[^<>]*>/g, " ") : text);
  return message.replace(/\s+/g, " ").trim();
}

export const isWebPage = (text: string): boolean => /^\s*<(!doctype|html|head|body|\?xml|p|h1|center)\b/i.test(text);

function parseObject(text: string): JsonObject | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A value as JSON; of one that is nested too deep for that, what it is. */
function preview(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "an error that is nested too deep";
  }
}
