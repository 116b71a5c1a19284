/** Schemas of an API key in an answer. Only {@link NewKey} contains a token. */
import * as z from "zod";
import { CALLER_ROLES } from "../../../core/caller.ts";
import { idOutput, timeOutput } from "../../http/response-fields.ts";

export const Key = z
  .object({
    id: idOutput,
    name: z.string(),
    role: z.enum(CALLER_ROLES),
    clientId: idOutput.optional(),
    expiresAt: timeOutput.optional(),
    lastUsedAt: timeOutput.optional().meta({ description: "Accurate to ten minutes" }),
    createdAt: timeOutput,
  })
  .meta({ id: "Key" });

export const NewKey = Key.extend({
  key: z.string().meta({ description: "The token itself, shown only once" }),
}).meta({ id: "NewKey" });
