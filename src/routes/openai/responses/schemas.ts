/**
 * Schemas of requests for responses. Fields of which Parley does nothing are taken with the values that ask for nothing;
 * clients send them with every call.
 */
import * as z from "zod/mini";
import { refuseLostNames, wholeNumber } from "../../http/fields.ts";
import { MESSAGE_ROLES } from "../messages.ts";

const described = (description: string) => z.meta({ description });

const ContentPart = z.looseObject({ type: z.string(), text: z.optional(z.string()) });

/** A message, a reference to an answer, or an item of another type, which is refused. */
const Item = z.looseObject({
  type: z.nullish(z.string()),
  id: z.nullish(z.string()),
  role: z.optional(z.enum(MESSAGE_ROLES)),
  content: z.nullish(z.union([z.string(), z.array(ContentPart)])),
});

/** The message for a value that asks for something. */
const NONE = "is not supported";

export type InputItem = z.output<typeof Item>;

/** As many and as long as in OpenAI's API. */
const Metadata = z
  .pipe(
    z.transform(refuseLostNames<Record<string, string>>),
    z.record(z.string().check(z.maxLength(64)), z.string().check(z.maxLength(512))),
  )
  .check(z.refine((fields) => Object.keys(fields).length <= 16, "must have at most 16 fields"));

export const CreateResponse = z.strictObject({
  model: z.string().check(z.minLength(1), described("The id of an endpoint, or `chatbot:` and the id of a chatbot")),
  input: z.union([z.string().check(z.minLength(1)), z.array(Item).check(z.minLength(1))]),
  instructions: z.nullish(z.string()),
  stream: z.nullish(z.boolean()),
  store: z.nullish(z.boolean()),
  previous_response_id: z.nullish(z.string()),
  conversation: z.nullish(z.union([z.string(), z.looseObject({ id: z.string() })])),
  metadata: z.nullish(Metadata),
  max_output_tokens: z.nullish(z.int().check(z.minimum(1))),
  temperature: z.nullish(z.number()),
  top_p: z.nullish(z.number()),
  user: z.nullish(z.string()),
  safety_identifier: z.nullish(z.string()),
  prompt_cache_key: z.nullish(z.string()),
  tools: z.nullish(z.array(z.unknown()).check(z.maxLength(0, NONE))),
  tool_choice: z.nullish(z.enum(["auto", "none"], "only auto and none are supported")),
  parallel_tool_calls: z.nullish(z.boolean()),
  text: z.nullish(
    z.strictObject({
      format: z.nullish(z.strictObject({ type: z.optional(z.literal("text", "only text is supported")) })),
    }),
  ),
  include: z.nullish(z.array(z.literal("reasoning.encrypted_content", NONE))),
  truncation: z.nullish(z.literal("disabled", "only disabled is supported")),
  service_tier: z.nullish(z.enum(["auto", "default"], "only auto and default are supported")),
  background: z.nullish(z.literal(false, NONE)),
  stream_options: z.nullish(z.strictObject({ include_obfuscation: z.nullish(z.boolean()) })),
});

export const ReadResponse = z.strictObject({
  stream: z.optional(z.enum(["true", "false"])),
  starting_after: z.optional(
    wholeNumber(0).check(described("The `sequence_number` of the last event that you have of its stream")),
  ),
  include_obfuscation: z.optional(z.enum(["true", "false"])),
});
