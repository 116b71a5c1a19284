/**
 * Schemas of the requests to `/chatbots`. `null` in an update removes a field. Whether the endpoint
 * exists is not checked here: the handlers do that.
 */
import * as z from "zod";
import { Content } from "../../../core/message.ts";
import { name, pageQuery, searchString, providerParams } from "../../http/fields.ts";

const endpointId = z.string().min(1).max(200);
const params = providerParams
  .transform((value) => JSON.stringify(value))
  .meta({
    description: "Params of each call, such as `temperature`. They take precedence over those of the endpoint",
  });
const historyLimit = z.number().int().min(1).max(1000).meta({
  description: "How many messages to send with each call: the newest ones of the session, the new one included",
});
const systemPrompt = z.string().max(100_000).meta({
  description: "Instructions to the model. They are sent before the messages of every call, and are not in the log",
});
const greeting = Content.meta({ description: "The first message of each session, by the assistant" });

export const CreateChatbot = z.strictObject({
  name,
  endpointId,
  description: z.string().max(1000).optional(),
  systemPrompt: systemPrompt.optional(),
  greeting: greeting.optional(),
  historyLimit: historyLimit.default(50),
  params: params.optional(),
});

export const UpdateChatbot = z.strictObject({
  name: name.optional(),
  endpointId: endpointId.optional(),
  description: z.string().max(1000).nullable().optional(),
  systemPrompt: systemPrompt.nullable().optional(),
  greeting: greeting.nullable().optional(),
  historyLimit: historyLimit.optional(),
  params: params.nullable().optional(),
});

export const ListByName = z.strictObject({ searchString, ...pageQuery });
