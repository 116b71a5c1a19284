/** The schemas of what the AI SDK's default transport sends. Of the messages only one is read, so they may have any fields. */
import * as z from "zod/mini";

const described = (description: string) => z.meta({ description });

const UserPart = z.looseObject({ type: z.string(), text: z.optional(z.string()) });

const UiMessage = z.looseObject({
  id: z.string().check(z.minLength(1), z.maxLength(200)),
  role: z.enum(["system", "user", "assistant"]),
  parts: z.array(UserPart),
});

export const SendMessage = z.strictObject({
  id: z.string().check(described("The id of the session")),
  messages: z.array(UiMessage).check(described("The last of them counts")),
  trigger: z.enum(["submit-message", "regenerate-message"]),
  messageId: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(200),
        described("With `submit-message`, the user message that is edited; with `regenerate-message`, the reply"),
      ),
  ),
});

export const ResumeStream = z.strictObject({
  after: z.optional(
    z
      .string()
      .check(
        z.maxLength(200),
        described("The id of the last message of your list: its reply is sent too if it has ended meanwhile"),
      ),
  ),
});
