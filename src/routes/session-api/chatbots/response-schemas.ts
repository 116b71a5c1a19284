/** The schema of a chatbot in an answer. */
import * as z from "zod";
import { KEEPS } from "../../../core/context.ts";
import { idOutput, objectOutput, timeOutput } from "../../http/response-fields.ts";

export const Chatbot = z
  .object({
    id: idOutput,
    name: z.string(),
    description: z.string().optional(),
    endpointId: z.string(),
    systemPrompt: z.string().optional(),
    greeting: z.string().optional(),
    historyLimit: z.number().int(),
    context: z
      .object({ maxTokens: z.number().int(), keep: z.enum(KEEPS), summaryEndpointId: z.string().optional() })
      .optional(),
    params: objectOutput.optional(),
    takeoverTimeoutMinutes: z.number().int().optional(),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    truncated: z.literal(true).optional().meta({
      description: "In a list of over 2 million characters: `systemPrompt`, `greeting` and `params` are left out",
    }),
  })
  .meta({ id: "Chatbot", description: "An endpoint with a persona" });
