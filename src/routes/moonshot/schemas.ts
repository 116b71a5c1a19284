/**
 * Schemas that requests to several resources of the Moonshot API use, and that of the query of the connectors. Schemas of
 * one resource are in that resource's folder.
 */
import * as z from "zod/mini";

/** A field that Moonshot's own clients and files contain, and that has no meaning here. Any value is accepted. */
export const ignored = z.pipe(
  z.optional(z.unknown()).check(z.meta({ description: "Moonshot's clients send it. It is ignored" })),
  // So that it makes no difference to an `Idempotency-Key` either.
  z.transform(() => undefined),
);

export const ListConnectors = z.strictObject({ include: z.optional(z.enum(["fields"])) });
