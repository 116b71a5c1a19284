/** Schemas of what both of Moonshot's APIs answer to a change, and to a call that fails. */
import * as z from "zod";

/** The answer to a change without a result. */
export const Success = z.object({ success: z.literal(true) }).meta({ id: "Success" });

export const MoonshotFailure = z
  .object({ detail: z.string() })
  .meta({ id: "MoonshotFailure", description: "A failed call to the Moonshot API" });

export const MoonshotInputFailure = z
  .object({
    error: z.array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.number()])),
        msg: z.string(),
        input: z.unknown().optional(),
      }),
    ),
  })
  .meta({ id: "MoonshotInputFailure", description: "A call to the Moonshot API with an invalid body or query" });
