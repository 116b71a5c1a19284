/**
 * Schemas of fields that requests to several resources and dialects have: ids, names, times, free-form objects, params of
 * a provider. A field of one resource belongs in that resource's `schemas.ts`, and a field of an answer in
 * `response-fields.ts`.
 */
import * as z from "zod/mini";
import { MAX_ATTEMPTS, MAX_TIMEOUT_MS, flagOf, numberOf } from "../../core/call-params.ts";
import type { ParamRule } from "../../core/call-params.ts";
import { foldText } from "../../core/fold.ts";
import { DAY_MS, ISO_8601, isBareDate, parseTime } from "../../core/time.ts";

/** The largest free-form object, in bytes of its JSON. */
const MAX_OBJECT_BYTES = 16_384;

export const isNotBlank = (text: string): boolean => text.trim() !== "";

/** An id in the form of a MongoDB ObjectId, in upper or lower case. */
export const objectId = z
  .string()
  .check(
    z.regex(/^[0-9a-fA-F]{24}$/, "must be 24 hex digits"),
    z.toLowerCase(),
    z.meta({ examples: ["65f3a1b2c4d5e6f708192a3b"] }),
  );

export const name = z
  .string()
  .check(z.minLength(1, { abort: true }), z.maxLength(200), z.refine(isNotBlank, "must not be blank"));

/** `format: date-time` would demand a time and an offset, which these fields do not. */
const isoTime = z.string().check(
  z.meta({
    description: "ISO 8601: a date, or a date and a time. Without an offset it is UTC",
    pattern: ISO_8601.source,
    examples: ["2026-11-26", "2026-11-26T09:30:00Z"],
  }),
);

/** An ISO 8601 time, parsed into milliseconds. A time without an offset is UTC. */
export const time = z.pipe(
  isoTime,
  z.transform((text, context) => parseTime(text) ?? refuseValue(context, "must be an ISO 8601 time")),
);

/** A day or a time, as its first millisecond and the first millisecond after it. */
export const timeRange = z.pipe(
  isoTime,
  z.transform((text, context) => {
    const from = parseTime(text);
    if (from === null) return refuseValue(context, "must be an ISO 8601 date or time");
    return { from, before: from + (isBareDate(text) ? DAY_MS : 1) };
  }),
);

/** Ends a transformation with an issue. */
export function refuseValue(context: z.core.ParsePayload, message: string): never {
  context.issues.push({ code: "custom", input: context.value, message });
  return z.NEVER;
}

/** Whether a JSON object fits: in bytes, as it is stored. */
function fitsBound(json: string): boolean {
  return new TextEncoder().encode(json).length <= MAX_OBJECT_BYTES;
}

/** The issue of an object with a field named `__proto__`: zod leaves it out of an object that takes any name, without a word. */
export const lostNameIssue = (value: unknown): { code: "custom"; path: string[]; message: string } | null =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__")
    ? { code: "custom", path: ["__proto__"], message: "must not be the name of a field" }
    : null;

/** Refuses such a field, before zod leaves it out. */
export function refuseLostNames<T>(value: T, context: z.core.ParsePayload): T {
  const issue = lostNameIssue(value);
  if (issue) context.issues.push({ ...issue, input: value });
  return value;
}

export const anyObject = z.pipe(
  z.transform(refuseLostNames<Record<string, unknown>>),
  z.record(z.string(), z.unknown()),
);

/** Any JSON object, up to 16 KiB. Its value is the JSON text, which is what the code stores. */
export const jsonObject = z
  .pipe(
    anyObject,
    z.transform((value) => JSON.stringify(value)),
  )
  .check(z.refine(fitsBound, "must not be larger than 16 KiB of JSON"));

const TEXT: ParamRule = { isValid: (value) => typeof value === "string", message: "must be a string" };
// Values are read as a call reads them: it replaces one that it cannot read with the default.
const FLAG: ParamRule = { isValid: (value) => flagOf(value) !== null, message: "must be true or false" };
const POSITIVE: ParamRule = { isValid: (value) => (numberOf(value) ?? 0) > 0, message: "must be a number above 0" };
const atMost = (maximum: number): ParamRule => ({
  isValid: (value) => POSITIVE.isValid(value) && (numberOf(value) ?? Infinity) <= maximum,
  message: `must be a number above 0 and at most ${maximum}`,
});
const wholeUpTo = (minimum: number, maximum: number): ParamRule => ({
  isValid: (value) => {
    const number = numberOf(value);
    return Number.isInteger(number) && number !== null && number >= minimum && number <= maximum;
  },
  message: `must be a whole number from ${minimum} to ${maximum}`,
});
const RESERVED: ParamRule = { isValid: () => false, message: "is set by Parley" };

/** Params that Parley reads or sends itself. `null` unsets a param, except a reserved one. */
const PARAM_RULES: ReadonlyMap<string, ParamRule> = new Map([
  ["messages", RESERVED],
  ["contents", RESERVED],
  ["stream", { isValid: (value) => value === false, message: "can be false or null only" }],
  // They become parts of the URL or of a header.
  ["api_version", TEXT],
  ["anthropic_version", TEXT],
  ["pre_prompt", TEXT],
  ["post_prompt", TEXT],
  ["system_prompt", TEXT],
  ["timeout_ms", atMost(MAX_TIMEOUT_MS)],
  ["first_token_ms", POSITIVE],
  ["idle_ms", POSITIVE],
  ["timeout", atMost(MAX_TIMEOUT_MS / 1000)],
  ["max_attempts", wholeUpTo(1, MAX_ATTEMPTS)],
  ["num_of_retries", wholeUpTo(0, MAX_ATTEMPTS - 1)],
  ["alternate_roles", FLAG],
  ["allow_retries", FLAG],
]);

/** The params whose values Parley cannot use, or sets itself. */
export const paramProblems = (params: Record<string, unknown>): { param: string; message: string }[] =>
  Object.entries(params).flatMap(([param, value]) => {
    const rule = PARAM_RULES.get(param);
    const isUnset = value === null && rule !== RESERVED;
    return rule && !isUnset && !rule.isValid(value) ? [{ param, message: rule.message }] : [];
  });

/** Params to send with every call to a provider. */
export const providerParams = anyObject.check(
  z.superRefine((params, context) => {
    for (const { param, message } of paramProblems(params))
      context.addIssue({ code: "custom", path: [param], message });
    if (!fitsBound(JSON.stringify(params)))
      context.addIssue({ code: "custom", message: "must not be larger than 16 KiB of JSON" });
  }),
);

const TRUE = ["1", "true", "yes", "on", "t", "y"];
const FALSE = ["0", "false", "no", "off", "f", "n"];

/** A yes or no in a query, in any case of letters. */
export const flag = z.pipe(
  z.string().check(z.meta({ examples: ["true", "false"] })),
  z.transform((text, context) => {
    const word = text.toLowerCase();
    if (TRUE.includes(word)) return true;
    return FALSE.includes(word) ? false : refuseValue(context, "must be true or false");
  }),
);

/** A whole number in a query: decimal digits only, so that `0x5`, `1e1` and an empty text are refused. */
export const wholeNumber = (minimum: number) =>
  z.pipe(
    z.transform((text: string | number, context) =>
      /^-?\d{1,15}$/.test(String(text))
        ? Number(text)
        : refuseValue(context, "must be a whole number in decimal digits, at most 15 of them"),
    ),
    z.number().check(z.int(), z.gte(minimum)),
  );

/** The `limit` of a list. */
export const limitUpTo = (maximum: number, byDefault = maximum) =>
  z._default(wholeNumber(1).check(z.lte(maximum)), byDefault);

/** `limit` and `skip` of a list. */
export const pageQuery = { limit: limitUpTo(100, 10), skip: z._default(wholeNumber(0), 0) };

/** Search text. Empty text, or text of invisible characters only, is no search. */
export const searchString = z.optional(
  z.pipe(
    z.string(),
    z.transform((text) => (foldText(text.toWellFormed()) === "" ? null : text.toWellFormed())),
  ),
);
