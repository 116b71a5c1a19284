/**
 * Schemas of the requests to `/keys`. Whether the client exists is
 * not checked here: the handlers do that.
 */
import * as z from "zod/mini";
import { CALLER_ROLES } from "../../../core/caller.ts";
import { now } from "../../../core/time.ts";
import { limitUpTo, name, objectId, pageQuery, time } from "../../http/fields.ts";

export const CreateKey = z
  .strictObject({
    name,
    role: z.enum(CALLER_ROLES),
    clientId: z.optional(objectId).check(
      z.meta({
        description: "The client whose sessions the key is for. Required with role `client`, otherwise not allowed",
      }),
    ),
    expiresAt: z.optional(time.check(z.refine((at) => at > now(), "must be in the future"))).check(
      z.meta({
        description:
          "Without it, the key does not expire, or after 24 hours if a service makes it. A service can set at most 24 hours",
      }),
    ),
  })
  .check(
    z.refine(({ role, clientId }) => (role === "client") === (clientId !== undefined), {
      path: ["clientId"],
      message: "is required with role client, and not allowed with another role",
    }),
  );

export const ListKeys = z.strictObject({
  limit: limitUpTo(1000),
  skip: pageQuery.skip,
});
