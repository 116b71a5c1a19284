/** Schemas of fields that requests to both of Moonshot's APIs have. Schemas of one resource are in that resource's folder. */
import * as z from "zod/mini";

/** A field that Moonshot's own clients and files contain, and that has no meaning here. Any value is accepted. */
export const ignored = z.pipe(
  z.optional(z.unknown()).check(z.meta({ description: "Moonshot's clients send it. It is ignored" })),
  // So that it makes no difference to an `Idempotency-Key` either.
  z.transform(() => undefined),
);

/** The system message to each endpoint of a session. */
export const SystemPrompt = z.string().check(
  z.maxLength(100_000),
  z.meta({
    description: "Sent before the messages of each call, as the system message; it is not in the log as a message",
  }),
);
