/** Schemas of the requests to `/v1/sessions`. */
import * as z from "zod/mini";
import { BRIDGE_MODES } from "../../../core/bridge.ts";
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

const seq = z.int().check(z.gte(1));

const createFields = {
  name,
  description: z._default(z.string().check(z.maxLength(1000)), ""),
  endpoints: endpointIds,
  prompt_template: optionalName,
  context_strategy: optionalName,
  system_prompt: z.nullish(SystemPrompt),
};

const fromChat = {
  from_session: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(300),
        z.meta({ description: "The id of a chat session, whose user's messages are to be put to the endpoints" }),
      ),
  ),
  mode: z.optional(z.enum(BRIDGE_MODES)).check(
    z.meta({
      description:
        "`user_turns` (the default): each endpoint goes on with its own answers. `pinned`: each message is sent with the conversation as it was recorded",
    }),
  ),
  until_seq: z.optional(seq).check(z.meta({ description: "The last message of the chat session to take" })),
};

export const CreateSession = z.strictObject({ ...createFields, ...fromChat }).check(
  z.refine(({ from_session: from, mode }) => from !== undefined || mode === undefined, {
    path: ["mode"],
    message: "has no effect without from_session",
  }),
  z.refine(({ from_session: from, until_seq: until }) => from !== undefined || until === undefined, {
    path: ["until_seq"],
    message: "has no effect without from_session",
  }),
  z.refine(({ mode, context_strategy: strategy }) => mode !== "pinned" || strategy === null, {
    path: ["context_strategy"],
    message: "cannot be combined with mode pinned, which sends the conversation as it was recorded",
  }),
  z.refine(({ mode, prompt_template: template }) => mode !== "pinned" || template === null, {
    path: ["prompt_template"],
    message: "cannot be combined with mode pinned, which sends each message as it was recorded",
  }),
);

export const Replay = z
  .strictObject({
    from: z
      .optional(seq)
      .check(z.meta({ description: "The first turn. It cannot be after the first that was not put" })),
    to: z.optional(seq).check(z.meta({ description: "The last turn; without it, the last of the conversation" })),
  })
  .check(
    z.refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
      path: ["from"],
      message: "must not be after to",
    }),
  );

export const Adopt = z.strictObject({
  chat_id: z.string().check(z.minLength(1), z.maxLength(300)),
  chat_record_id: seq,
  expected_seq: z.optional(z.int().check(z.gte(0))).check(
    z.meta({
      description: "The last message of the chat session; without it, the last one when the comparison was made",
    }),
  ),
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
