/**
 * Schemas of the requests to `/chatbots`. `null` in an update removes a field. Whether the endpoint
 * exists is not checked here: the handlers do that.
 */
import * as z from "zod/mini";
import { Content } from "../../../core/message.ts";
import { name, pageQuery, searchString, providerParams } from "../../http/fields.ts";

export const endpointId = z.string().check(z.minLength(1), z.maxLength(200));
export const params = z
  .pipe(
    providerParams,
    z.transform((value) => JSON.stringify(value)),
  )
  .check(
    z.meta({
      description: "Params of each call, such as `temperature`. They take precedence over those of the endpoint",
    }),
  );
const historyLimit = z.number().check(
  z.int(),
  z.gte(1),
  z.lte(1000),
  z.meta({
    description: "How many messages to send with each call: the newest ones of the session, the new one included",
  }),
);
const takeoverTimeoutMinutes = z.number().check(
  z.int(),
  z.gte(1),
  z.lte(10_080),
  z.meta({
    description:
      "After so many minutes without a word of the person who took over a session, the chatbot answers again",
  }),
);
const systemPrompt = z.string().check(
  z.maxLength(100_000),
  z.meta({
    description: "Instructions to the model. They are sent before the messages of every call, and are not in the log",
  }),
);
const greeting = Content.check(z.meta({ description: "The first message of each session, by the assistant" }));

const description = z.string().check(z.maxLength(1000));

export const CreateChatbot = z.strictObject({
  name,
  endpointId,
  description: z.optional(description),
  systemPrompt: z.optional(systemPrompt),
  greeting: z.optional(greeting),
  historyLimit: z._default(historyLimit, 50),
  params: z.optional(params),
  takeoverTimeoutMinutes: z.optional(takeoverTimeoutMinutes),
});

export const UpdateChatbot = z.strictObject({
  name: z.optional(name),
  endpointId: z.optional(endpointId),
  description: z.nullish(description),
  systemPrompt: z.nullish(systemPrompt),
  greeting: z.nullish(greeting),
  historyLimit: z.optional(historyLimit),
  params: z.nullish(params),
  takeoverTimeoutMinutes: z.nullish(takeoverTimeoutMinutes),
});

export const ListByName = z.strictObject({ searchString, ...pageQuery });
