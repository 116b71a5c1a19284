/** Schemas of the requests to `/v1/sessions`. */
import * as z from "zod/mini";
import { Content } from "../../../core/message.ts";
import { flag, limitUpTo, name, pageQuery } from "../../http/fields.ts";
import { SystemPrompt, ignored } from "../../moonshot-shared/schemas.ts";

const endpointId = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(300),
    z.meta({ description: "The id of an endpoint, or `chatbot:` and the id of a chatbot" }),
  );

/** `null` and `""` mean no name. */
export const optionalName = z._default(
  z.pipe(
    z.nullable(z.string().check(z.maxLength(200))),
    z.transform((text) => (text === "" ? null : text)),
  ),
  null,
);

/** `null` and `""` mean none. */
export const optionalSystemPrompt = z._default(
  z.pipe(
    z.nullable(SystemPrompt),
    z.transform((text) => (text === "" ? null : text)),
  ),
  null,
);

export const endpointIds = z.array(endpointId).check(z.minLength(1), z.maxLength(64));

export const CreateSession = z.strictObject({
  name,
  description: z._default(z.string().check(z.maxLength(1000)), ""),
  endpoints: endpointIds,
  prompt_template: optionalName,
  context_strategy: optionalName,
  system_prompt: optionalSystemPrompt,
});

export const SetSystemPrompt = z.strictObject({ system_prompt: SystemPrompt.check(z.minLength(1)) });

export const Prompt = z.strictObject({
  prompt: Content.check(z.meta({ description: "Stored and sent unchanged, with leading and trailing blanks" })),
  history_length: ignored,
});

const include = z
  .optional(z.enum(["receipt"]))
  .check(z.meta({ description: "Adds the receipt of each record. Refused where the answer has no records" }));

export const GetSession = z.strictObject({ include_history: z._default(flag, false), include }).check(
  z.refine((query) => query.include === undefined || query.include_history, {
    path: ["include"],
    message: "has no effect without include_history=true: add that, or leave out include",
  }),
);

export const PromptQuery = z.strictObject({ include });

export const ListSessions = z.strictObject({
  limit: limitUpTo(1000),
  skip: pageQuery.skip,
  run_id: z
    .optional(z.string())
    .check(z.meta({ description: "The conversations of a run. Without it, the sessions of no run" })),
});
