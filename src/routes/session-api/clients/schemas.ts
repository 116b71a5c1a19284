/**
 * Schemas of the requests to `/clients`. `null` in an update removes a field. Whether an `externalId` is
 * free is not checked here: a unique index in D1 does that.
 */
import * as z from "zod/mini";
import { jsonObject, name, pageQuery, searchString } from "../../http/fields.ts";

const email = z.email().check(z.maxLength(320));
export const externalId = z
  .string()
  .check(z.minLength(1), z.maxLength(200), z.meta({ description: "Your own id of this person. Unique" }));

export const CreateClient = z.strictObject({
  name,
  email: z.optional(email),
  externalId: z.optional(externalId),
  metadata: z.optional(jsonObject),
});

export const UpdateClient = z.strictObject({
  name: z.optional(name),
  email: z.nullish(email),
  externalId: z.nullish(externalId),
  metadata: z.nullish(jsonObject),
});

export const ListClients = z.strictObject({
  searchString: searchString.check(z.meta({ description: "A part of the name, the email or the external id" })),
  externalId: z.optional(externalId),
  ...pageQuery,
});
