/**
 * Validates bodies and queries with zod, and gives the schemas to the OpenAPI document. A body is checked in this
 * order: content type, size, JSON, depth, schema. The issues have the names that pydantic uses. Schemas do not belong
 * here. The only effect is reading the body.
 */
import { zValidator } from "@hono/zod-validator";
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import { attachInput } from "../openapi/describe.ts";
import { MAX_BODY_BYTES } from "./problem.ts";
import type { InputIssue } from "./problem.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** How many levels a body may be nested. */
const MAX_DEPTH = 32;

/** Requires a JSON body that matches the schema. */
export function body<S extends z.ZodType>(schema: S) {
  const validator = zValidator("json", schema, (result, c) => {
    if (!result.success)
      return respondWithProblem(c, {
        reason: "invalid-input",
        in: "body",
        issues: issuesOf(result.error.issues, result.data),
      });
  });
  const readAndValidate: MiddlewareHandler = async (c, next) => (await readJson(c)) ?? validator(c, next);
  return attachInput(readAndValidate as typeof validator, { in: "body", schema });
}

/** Requires a query that matches the schema. Of a repeated parameter only the first value counts. */
export function query<S extends z.ZodType>(schema: S) {
  const validator = zValidator("query", z.preprocess(firstValues, schema), (result, c) => {
    if (!result.success)
      return respondWithProblem(c, {
        reason: "invalid-input",
        in: "query",
        issues: issuesOf(result.error.issues, result.data),
      });
  });
  return attachInput(validator, { in: "query", schema });
}

const firstValues = (parameters: unknown) =>
  Object.fromEntries(
    Object.entries(parameters ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? (value[0] as unknown) : value,
    ]),
  );

/** Reads the body for the validator. @returns the answer to a body that is not acceptable JSON, otherwise `null` */
async function readJson(c: Context): Promise<Response | null> {
  const malformed = (message: string, code = "json_invalid") =>
    respondWithProblem(c, { reason: "invalid-input", in: "body", issues: [{ path: [], code, message }] });
  const contentType = c.req.header("content-type");
  if (contentType !== undefined && !isJson(contentType))
    return respondWithProblem(c, { reason: "unsupported-media-type" });
  const text = await readText(c.req.raw);
  if (text === null) return respondWithProblem(c, { reason: "body-too-large" });
  if (text === "") return malformed("A JSON body is required", "missing");
  if (contentType === undefined) return respondWithProblem(c, { reason: "unsupported-media-type" });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed("The body is not valid JSON");
  }
  if (isDeeper(value, MAX_DEPTH)) return malformed(`The body is nested deeper than ${MAX_DEPTH} levels`);
  c.req.bodyCache.json = Promise.resolve(hasLoneSurrogate(text) ? toWellFormed(value) : value);
  return null;
}

const isJson = (contentType: string): boolean => /^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType);

/** The body as text, or `null` when it is too large. Stops reading there. */
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

/** Decoding UTF-8 replaces lone surrogates, so in JSON text only an escape can contain one. */
const hasLoneSurrogate = (text: string): boolean => /\\u[dD][89a-fA-F]/.test(text);

function toWellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(toWellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), toWellFormed(inner)]));
}

/** The fields of a zod issue that are the same in every version of zod. */
interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  expected?: unknown;
  /** The type of the value that is too small or too big. */
  origin?: unknown;
}

/** zod's issues under pydantic's names, which tools for evaluation already know. */
function issuesOf(zodIssues: readonly Issue[], data: unknown): InputIssue[] {
  return zodIssues.map((issue) => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    const input = valueAt(data, path);
    return { path, code: codeOf(issue, input), message: messageOf(issue, input), ...echoInput(path, input) };
  });
}

const valueAt = (data: unknown, path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined),
    data,
  );

/** The answer repeats an invalid scalar, unless it may be a secret. */
const echoInput = (path: (string | number)[], input: unknown): { input?: unknown } =>
  path.length > 0 && !path.includes("token") && ["string", "number", "boolean"].includes(typeof input)
    ? { input: typeof input === "string" ? input.slice(0, 200) : input }
    : {};

const CODES: ReadonlyMap<string, string> = new Map([
  ["too_small", "too_short"],
  ["too_big", "too_long"],
  ["too_small string", "string_too_short"],
  ["too_big string", "string_too_long"],
  ["too_small number", "greater_than_equal"],
  ["too_big number", "less_than_equal"],
  ["invalid_value", "literal_error"],
  ["invalid_format", "string_pattern_mismatch"],
]);

function codeOf(issue: Issue, input: unknown): string {
  if (input === undefined && isMissing(issue)) return "missing";
  if (issue.code === "invalid_type") return `${String(issue.expected)}_type`;
  return CODES.get(`${issue.code} ${String(issue.origin)}`) ?? CODES.get(issue.code) ?? "value_error";
}

const messageOf = (issue: Issue, input: unknown): string =>
  input === undefined && isMissing(issue) ? "Field required" : issue.message.replace(/^Invalid input: /, "");

const isMissing = ({ code }: Issue): boolean => code === "invalid_type" || code === "invalid_value";
