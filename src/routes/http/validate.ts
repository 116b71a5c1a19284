/**
 * Validates bodies and queries with zod, and gives the schemas to the OpenAPI document. A body is checked in this
 * order: content type, size, JSON, depth, schema. Schemas do not belong here, nor the form of an issue: that is
 * `input-issues.ts`. The only effect is reading the body.
 *
 * Schemas of requests are strict objects (`z.strictObject`), so that an unknown name is refused.
 */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import * as z from "zod/mini";
import "../../core/zod-messages.ts";
import { attachInput, inputOf, isOptionalBody } from "../openapi/inputs.ts";
import type { Input } from "../openapi/inputs.ts";
import type { AppEnv } from "./context.ts";
import { lostNameIssue } from "./fields.ts";
import { issuesOf } from "./input-issues.ts";
import type { Issue } from "./input-issues.ts";
import { parseJson, TooDeep } from "./parse-json.ts";
import { MAX_BODY_BYTES } from "./problem.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** Middleware behind which handlers read what a schema makes of an input by `c.req.valid`. */
type Validator<Target extends "json" | "query", S extends z.core.$ZodType> = MiddlewareHandler<
  AppEnv,
  string,
  { in: Record<Target, z.input<S>>; out: Record<Target, z.output<S>> }
>;

/** Requires a JSON body that matches the schema. Where the body {@link isOptionalBody}, none is taken as `{}`. */
export function body<S extends z.core.$ZodType<object>>(schema: S) {
  const input = { in: "body", schema } as const;
  const validator: Validator<"json", S> = async (c, next) => {
    const read = await readJson(c, input);
    return read instanceof Response ? read : (validate(c, input, read.value) ?? next());
  };
  return attachInput(validator, input);
}

/** Requires a query that matches the schema. Of a repeated parameter only the first value counts. */
export function query<S extends z.core.$ZodType<object>>(schema: S) {
  const validator: Validator<"query", S> = async (c, next) =>
    validate(c, { in: "query", schema }, c.req.query()) ?? next();
  return attachInput(validator, { in: "query", schema });
}

/** Gives the handlers the valid input. @returns the answer to an invalid one, otherwise `null` */
function validate(c: Context, input: Input, given: unknown): Response | null {
  const result = z.safeParse(input.schema, given);
  if (!result.success) return respondWithIssues(c, input, result.error.issues, given);
  const lost = lostNameIssue(given);
  if (lost) return respondWithIssues(c, input, [lost], given);
  c.req.addValidatedData(input.in === "body" ? "json" : "query", result.data as object);
  return null;
}

const respondWithIssues = (c: Context, input: Input, issues: readonly Issue[], data: unknown): Response =>
  respondWithProblem(c, { reason: "invalid-input", in: input.in, issues: issuesOf(issues, data, input) });

/** The schema of an input that a route does not take. */
const NOTHING = z.nullable(z.strictObject({}));

/**
 * Refuses what a route does not take at all: a query on a route without {@link query}, a body on a route without
 * {@link body}. Nothing would read it, and the caller would not learn that. A body that is not JSON, or is empty, or `{}`,
 * is let through: some clients send one with every `POST`.
 */
export const refuseUntakenInput: MiddlewareHandler = async (c, next) => {
  const taken = matchedRoutes(c).flatMap(({ handler }) => inputOf(handler) ?? []);
  const takenBody = taken.find((input) => input.in === "body");
  const takesQuery = taken.some((input) => input.in === "query");
  const queryProblem = problemOfUnnamed(c) ?? (takesQuery ? null : problemOfUntaken(c, "query", c.req.query()));
  // Content type and size of a body are checked before the form of anything.
  if (queryProblem) {
    const read = takenBody ? await readJson(c, takenBody) : null;
    return read instanceof Response ? read : queryProblem;
  }
  return (takenBody ? null : await problemOfUntakenBody(c)) ?? next();
};

function problemOfUntaken(c: Context, place: Input["in"], data: unknown): Response | null {
  const { error } = NOTHING.safeParse(data);
  return error ? respondWithIssues(c, { in: place, schema: NOTHING }, error.issues, data) : null;
}

/** Refuses `?=1`: Hono leaves a parameter without a name out, so no schema sees it. */
function problemOfUnnamed(c: Context): Response | null {
  if (!/[?&]=/.test(c.req.url) || !new URL(c.req.url).searchParams.has("")) return null;
  const issue = { code: "unrecognized_keys", path: [], keys: [""], message: "" };
  return respondWithIssues(c, { in: "query", schema: NOTHING }, [issue], {});
}

async function problemOfUntakenBody(c: Context): Promise<Response | null> {
  if (c.req.raw.body === null || !isJson(c.req.header("content-type") ?? "")) return null;
  const text = await readText(c.req.raw);
  if (text === null) return respondWithProblem(c, { reason: "body-too-large" });
  if (text === "") return null;
  const parsed = parseBody(c, text);
  return parsed instanceof Response ? parsed : problemOfUntaken(c, "body", parsed.value);
}

/** A body as JSON. */
interface ParsedBody {
  value: unknown;
}

/** Reads the body. @returns the answer to one that is not acceptable JSON */
async function readJson(c: Context, input: Input): Promise<ParsedBody | Response> {
  const contentType = c.req.header("content-type");
  const isOptional = () => isOptionalBody(c.req.method, input);
  // `curl -d ''` sends a form's content type with nothing.
  if (c.req.header("content-length") === "0" && isOptional()) return { value: {} };
  if (contentType !== undefined && !isJson(contentType))
    return respondWithProblem(c, { reason: "unsupported-media-type" });
  // A call over HTTP without a body can have an empty one here, and not `null`.
  const text = await readText(c.req.raw);
  if (text === "" && isOptional()) return { value: {} };
  if (text === null) return respondWithProblem(c, { reason: "body-too-large" });
  if (text === "") return malformedBody(c, "A JSON body is required", "missing");
  if (contentType === undefined) return respondWithProblem(c, { reason: "unsupported-media-type" });
  return parseBody(c, text);
}

const malformedBody = (c: Context, message: string, code = "json_invalid"): Response =>
  respondWithProblem(c, { reason: "invalid-input", in: "body", issues: [{ path: [], code, message }] });

/**
 * Parses the text of a body. Without `c.req.json()`: of a body that was read before, that makes text again and a `Response`
 * of it, and parses what it reads from there. That takes a twentieth of the time of an append.
 *
 * @returns the answer to a malformed one
 */
function parseBody(c: Context, text: string): ParsedBody | Response {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return malformedBody(c, `The body ${error instanceof TooDeep ? error.message : "is not valid JSON"}`);
  }
  return { value };
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
