/**
 * Schemas of the requests to `/keys`. Whether the client exists is
 * not checked here: the handlers do that.
 */
import * as z from "zod";
import { CALLER_ROLES } from "../../../core/caller.ts";
import { now } from "../../../core/time.ts";
import { name, objectId, time } from "../../http/fields.ts";

export const CreateKey = z
  .strictObject({
    name,
    role: z.enum(CALLER_ROLES),
    clientId: objectId.optional().meta({
      description: "The client whose sessions the key is for. Required with role `client`, otherwise not allowed",
    }),
    expiresAt: time
      .refine((at) => at > now(), "must be in the future")
      .optional()
      .meta({
        description:
          "Without it, the key does not expire, or after 24 hours if a service makes it. A service can set at most 24 hours",
      }),
  })
  .refine(({ role, clientId }) => (role === "client") === (clientId !== undefined), {
    path: ["clientId"],
    message: "is required with role client, and not allowed with another role",
  });

export const ListKeys = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  skip: z.coerce.number().int().min(0).default(0),
});
