import { zValidator } from "@hono/zod-validator";
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import { documented } from "../openapi/describe.ts";
import { MAX_BODY_BYTES } from "./problem.ts";
import type { InputIssue } from "./problem.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** How deep a body may be nested. */
const MAX_DEPTH = 32;

/** Takes a JSON body that fits the schema. Refused before that: another content type, and a body too large or too deep. */
export function body<S extends z.ZodType>(schema: S) {
  const fits = zValidator("json", schema, (result, c) => {
    if (!result.success)
      return respondWithProblem(c, {
        reason: "invalid-input",
        in: "body",
        issues: faultsOf(result.error.issues, result.data),
      });
  });
  const read: MiddlewareHandler = async (c, next) => (await readJson(c)) ?? fits(c, next);
  return documented(read as typeof fits, { in: "body", schema });
}

/** Takes a query that fits the schema. Of a repeated parameter the first counts. */
export function query<S extends z.ZodType>(schema: S) {
  const fits = zValidator("query", z.preprocess(firstOfEach, schema), (result, c) => {
    if (!result.success)
      return respondWithProblem(c, {
        reason: "invalid-input",
        in: "query",
        issues: faultsOf(result.error.issues, result.data),
      });
  });
  return documented(fits, { in: "query", schema });
}

const firstOfEach = (given: unknown) =>
  Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => [name, Array.isArray(value) ? (value[0] as unknown) : value]),
  );

async function readJson(c: Context): Promise<Response | null> {
  const malformed = (message: string, code = "json_invalid") =>
    respondWithProblem(c, { reason: "invalid-input", in: "body", issues: [{ path: [], code, message }] });
  const contentType = c.req.header("content-type");
  if (contentType !== undefined && !isJson(contentType))
    return respondWithProblem(c, { reason: "unsupported-media-type" });
  const text = await readText(c.req.raw);
  if (text === null) return respondWithProblem(c, { reason: "body-too-large" });
  if (text === "") return malformed("A JSON body is needed", "missing");
  if (contentType === undefined) return respondWithProblem(c, { reason: "unsupported-media-type" });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed("The body is not valid JSON");
  }
  if (isDeeper(value, MAX_DEPTH)) return malformed(`The body is nested deeper than ${MAX_DEPTH} levels`);
  c.req.bodyCache.json = Promise.resolve(hasLoneSurrogate(text) ? wellFormed(value) : value);
  return null;
}

const isJson = (contentType: string): boolean => /^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType);

/** The body as text, or `null` when it is larger than it may be. Read no further than that. */
async function readText(request: Request): Promise<string | null> {
  const length = request.headers.get("content-length");
  if (length !== null) return Number(length) > MAX_BODY_BYTES ? null : request.text();
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Only an escape can bring a lone surrogate into a JSON text: decoding the bytes has replaced every other. */
const hasLoneSurrogate = (text: string): boolean => /\\u[dD][89a-fA-F]/.test(text);

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), wellFormed(inner)]));
}

/** What is read of an issue: the part that every version of zod gives alike. */
interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  expected?: unknown;
  /** What kind of thing is too small or too big. */
  origin?: unknown;
}

/** What zod found, in the terms in which pydantic names the same faults: evaluators' tools know those. */
function faultsOf(issues: readonly Issue[], given: unknown): InputIssue[] {
  return issues.map((issue) => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    const input = valueAt(given, path);
    return { path, code: codeOf(issue, input), message: messageOf(issue, input), ...shown(path, input) };
  });
}

const valueAt = (given: unknown, path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined),
    given,
  );

/** A scalar is repeated to its sender, unless it may be a secret. */
const shown = (path: (string | number)[], input: unknown): { input?: unknown } =>
  path.length > 0 && !path.includes("token") && ["string", "number", "boolean"].includes(typeof input)
    ? { input: typeof input === "string" ? input.slice(0, 200) : input }
    : {};

const CODES: Readonly<Record<string, string>> = {
  too_small: "too_short",
  too_big: "too_long",
  "too_small string": "string_too_short",
  "too_big string": "string_too_long",
  "too_small number": "greater_than_equal",
  "too_big number": "less_than_equal",
  invalid_value: "literal_error",
  invalid_format: "string_pattern_mismatch",
};

function codeOf(issue: Issue, input: unknown): string {
  if (input === undefined && isMissing(issue)) return "missing";
  if (issue.code === "invalid_type") return `${String(issue.expected)}_type`;
  return CODES[`${issue.code} ${String(issue.origin)}`] ?? CODES[issue.code] ?? "value_error";
}

const messageOf = (issue: Issue, input: unknown): string =>
  input === undefined && isMissing(issue) ? "Field required" : issue.message.replace(/^Invalid input: /, "");

const isMissing = ({ code }: Issue): boolean => code === "invalid_type" || code === "invalid_value";
