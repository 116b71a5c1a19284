/** Schemas of requests for chat completions. A field that has no meaning here goes to the provider, so any is taken. */
import * as z from "zod/mini";
import { anyObject } from "../../http/fields.ts";
import { MESSAGE_ROLES } from "../messages.ts";

const described = (description: string) => z.meta({ description });

const ContentPart = z.looseObject({ type: z.string(), text: z.optional(z.string()) });

const ChatMessage = z.looseObject({
  role: z.enum(MESSAGE_ROLES),
  content: z.nullish(z.union([z.string(), z.array(ContentPart)])),
});

export const CreateCompletion = z.looseObject({
  model: z.string().check(z.minLength(1), described("The id of an endpoint, or `chatbot:` and the id of a chatbot")),
  messages: z.array(ChatMessage).check(z.minLength(1)),
  stream: z.nullish(z.boolean()),
  stream_options: z.nullish(
    z.strictObject({ include_usage: z.nullish(z.boolean()), include_obfuscation: z.nullish(z.boolean()) }),
  ),
  n: z.nullish(z.literal(1)).check(described("One answer; ask several times for more")),
  store: z
    .nullish(z.boolean())
    .check(described("Makes a session, which the header `x-parley-session` of the answer names")),
  metadata: z.nullish(anyObject),
  user: z.nullish(z.string()),
});
