/**
 * Schemas of the requests and responses of `/chatbots`. `null` in an update removes a field. Whether the endpoint
 * exists is not checked here: the handlers do that.
 */
import * as z from "zod";
import { Content } from "../../../core/message.ts";
import {
  objectOutput,
  timeOutput,
  name,
  objectId,
  pageQuery,
  searchString,
  providerParams,
} from "../../http/fields.ts";

const endpointId = z.string().min(1).max(200);
const params = providerParams.transform((value) => JSON.stringify(value));
const historyLimit = z.number().int().min(1).max(1000);

export const CreateChatbot = z.object({
  name,
  endpointId,
  description: z.string().max(1000).optional(),
  systemPrompt: z.string().max(100_000).optional(),
  greeting: Content.optional(),
  historyLimit: historyLimit.default(50),
  params: params.optional(),
});

export const UpdateChatbot = z.object({
  name: name.optional(),
  endpointId: endpointId.optional(),
  description: z.string().max(1000).nullable().optional(),
  systemPrompt: z.string().max(100_000).nullable().optional(),
  greeting: Content.nullable().optional(),
  historyLimit: historyLimit.optional(),
  params: params.nullable().optional(),
});

export const ListByName = z.object({ searchString, ...pageQuery });

export const Chatbot = z
  .object({
    id: objectId,
    name: z.string(),
    description: z.string().optional(),
    endpointId: z.string(),
    systemPrompt: z.string().optional(),
    greeting: z.string().optional(),
    historyLimit: z.number().int(),
    params: objectOutput.optional(),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    truncated: z.literal(true).optional().meta({
      description: "In a list of over 2 million characters: `systemPrompt`, `greeting` and `params` are left out",
    }),
  })
  .meta({ id: "Chatbot", description: "An endpoint with a persona" });
