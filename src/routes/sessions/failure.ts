import type { Context } from "hono";
import * as z from "zod";
import { explain } from "../refusal.ts";
import type { Refusal } from "../refusal.ts";

/** How the Session API says no. */
export const SessionApiFailure = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.object({
      code: z.string(),
      details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
      requestId: z.string(),
    }),
  })
  .meta({ id: "Failure", description: "How the Session API says no" });

export function refuseInSessionApi(c: Context, refusal: Refusal): Response {
  const { httpStatus, code, message, headers } = explain(refusal);
  const details =
    "faults" in refusal
      ? refusal.faults.map((fault) => ({ path: fault.path.join("."), message: fault.message }))
      : undefined;
  const requestId: string = c.get("requestId");
  const body: z.output<typeof SessionApiFailure> = {
    success: false,
    message,
    error: { code, ...(details ? { details } : {}), requestId },
  };
  return c.json(body, httpStatus, headers);
}
