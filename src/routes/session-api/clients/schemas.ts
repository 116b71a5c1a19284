/**
 * Schemas of the requests to `/clients`. `null` in an update removes a field. Whether an `externalId` is
 * free is not checked here: a unique index in D1 does that.
 */
import * as z from "zod";
import { jsonObject, name, pageQuery, searchString } from "../../http/fields.ts";

const email = z.email().max(320);
export const externalId = z.string().min(1).max(200).meta({ description: "Your own id of this person. Unique" });

export const CreateClient = z.strictObject({
  name,
  email: email.optional(),
  externalId: externalId.optional(),
  metadata: jsonObject.optional(),
});

export const UpdateClient = z.strictObject({
  name: name.optional(),
  email: email.nullable().optional(),
  externalId: externalId.nullable().optional(),
  metadata: jsonObject.nullable().optional(),
});

export const ListClients = z.strictObject({
  searchString: searchString.meta({ description: "A part of the name, the email or the external id" }),
  externalId: externalId.optional(),
  ...pageQuery,
});
