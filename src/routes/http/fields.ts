import * as z from "zod";
import { foldText } from "../../core/fold.ts";
import { isoTime, parseTime } from "../../core/time.ts";

/** The largest free-form object, in bytes of its JSON. */
const MAX_OBJECT_BYTES = 16_384;

const isNotBlank = (text: string): boolean => text.trim() !== "";

/** An id in the form of a MongoDB ObjectId; read in either case. */
export const objectId = z
  .string()
  .regex(/^[0-9a-fA-F]{24}$/, "must be 24 hex digits")
  .toLowerCase()
  .meta({ examples: ["65f3a1b2c4d5e6f708192a3b"] });

export const name = z.string().min(1, { abort: true }).max(200).refine(isNotBlank, "must not be blank");

/** An ISO 8601 time, read into milliseconds; without an offset it is UTC. */
export const time = z
  .string()
  .meta({ format: "date-time" })
  .transform((text, context) => {
    const at = parseTime(text);
    if (at !== null) return at;
    context.addIssue({ code: "custom", message: "must be an ISO 8601 time" });
    return z.NEVER;
  });

/** A time as it is answered: ISO 8601, UTC, with milliseconds. */
export const answeredTime = z.string().meta({ format: "date-time", examples: [isoTime(1_710_448_307_051)] });

/** Any JSON object, up to 16 KiB; carried inside as its JSON text. */
export const freeObject = z
  .record(z.string(), z.unknown())
  .transform((value) => JSON.stringify(value))
  .refine(
    (json) => new TextEncoder().encode(json).length <= MAX_OBJECT_BYTES,
    "must not be larger than 16 KiB of JSON",
  );

/** Params that become part of an address or a header. */
const VERSIONS: readonly string[] = ["api_version", "anthropic_version"];

/** Texts around a prompt. */
const PROMPT_TEXTS: readonly string[] = ["pre_prompt", "post_prompt", "system_prompt"];

const POSITIVE: readonly string[] = ["timeout_ms", "first_token_ms", "idle_ms", "max_attempts", "timeout"];

const FLAGS: readonly string[] = ["alternate_roles", "allow_retries"];

const areTexts = (params: Record<string, unknown>, fields: readonly string[]): boolean =>
  fields.every((field) => params[field] == null || typeof params[field] === "string");

const isFlag = (value: unknown): boolean =>
  value == null || typeof value === "boolean" || (typeof value === "string" && /^(true|false)$/i.test(value.trim()));

/** What goes along with every call to a provider. What Parley itself sends, or reads, must not be contradicted. */
export const sentParams = z
  .record(z.string(), z.unknown())
  .refine(
    (params) => !["messages", "contents"].some((set) => set in params),
    "may not set messages or contents: Parley does",
  )
  .refine(({ stream }) => stream == null || stream === false, "may set stream to false or null only")
  .refine((params) => areTexts(params, VERSIONS), `must have texts for ${VERSIONS.join(" and ")}`)
  .refine((params) => areTexts(params, PROMPT_TEXTS), `must have texts for ${PROMPT_TEXTS.join(", ")}`)
  .refine(
    (params) => POSITIVE.every((own) => params[own] == null || Number(params[own]) > 0),
    `must have numbers above 0 for ${POSITIVE.join(", ")}`,
  )
  .refine((params) => FLAGS.every((flag) => isFlag(params[flag])), `must have true or false for ${FLAGS.join(", ")}`)
  .refine((params) => JSON.stringify(params).length <= MAX_OBJECT_BYTES, "must not be larger than 16 KiB of JSON");

export const answeredObject = z.record(z.string(), z.unknown());

/** `limit` and `skip` of a Session API list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(10),
  skip: z.coerce.number().int().min(0).default(0),
};

/** An empty search is none, and so is one of characters that are never visible. */
export const searchString = z
  .string()
  .transform((text) => text.toWellFormed())
  .transform((text) => (foldText(text) === "" ? null : text))
  .optional();
