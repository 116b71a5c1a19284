/** Schemas of the requests to `/api/v1/sessions`. */
import * as z from "zod/mini";
import { Content } from "../../../core/message.ts";
import { flag, limitUpTo, name, pageQuery } from "../../http/fields.ts";
import { SystemPrompt, ignored } from "../../moonshot-shared/schemas.ts";

/** The most previous prompts that a context strategy adds. */
export const MAX_PREVIOUS_PROMPTS = 50;

const endpointId = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(300),
    z.meta({ description: "The id of an endpoint, or `chatbot:` and the id of a chatbot" }),
  );

const emptyAsNull = z.transform((text: string | null) => (text === "" ? null : text));

/** `""` and `null` mean none. */
const optionalName = z._default(z.pipe(z.nullable(z.string().check(z.maxLength(200))), emptyAsNull), null);

export const CreateSession = z.strictObject({
  name,
  description: z._default(
    z.pipe(
      z.nullable(z.string().check(z.maxLength(1000))),
      z.transform((text) => text ?? ""),
    ),
    "",
  ),
  endpoints: z.array(endpointId).check(z.minLength(1), z.maxLength(64)),
  prompt_template: optionalName,
  context_strategy: optionalName,
  cs_num_of_prev_prompts: z._default(z.int().check(z.gte(1), z.lte(MAX_PREVIOUS_PROMPTS)), 5),
  attack_module: optionalName,
  metric: optionalName,
  system_prompt: z._default(z.pipe(z.nullable(SystemPrompt), emptyAsNull), null),
});

export const Prompt = z.strictObject({
  user_prompt: Content.check(z.meta({ description: "Stored and sent unchanged, with leading and trailing blanks" })),
  history_length: ignored,
  random_seed: z
    ._default(z.int().check(z.gte(0)), 0)
    .check(z.meta({ description: "Of the attack module, if one is set. The same seed makes the same prompts" })),
});

export const SetSystemPrompt = z.strictObject({ system_prompt: SystemPrompt });

export const GetSession = z.strictObject({ include_history: z._default(flag, false) });

export const ListSessions = z.strictObject({ limit: limitUpTo(1000), skip: pageQuery.skip });
