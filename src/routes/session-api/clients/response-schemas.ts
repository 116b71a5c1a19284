/** The schema of a client in an answer. */
import * as z from "zod";
import { idOutput, objectOutput, timeOutput } from "../../http/response-fields.ts";

export const Client = z
  .object({
    id: idOutput,
    name: z.string(),
    email: z.string().optional(),
    externalId: z.string().optional(),
    metadata: objectOutput.optional(),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    truncated: z
      .literal(true)
      .optional()
      .meta({ description: "In a list of sessions of over 2 million characters: `metadata` is left out" }),
  })
  .meta({ id: "Client", description: "A person who talks to chatbots" });
