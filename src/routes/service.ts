import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "./context.ts";
import { describe } from "./openapi/describe.ts";

const Health = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

/** Routes about the service itself. */
export const service = new Hono<AppEnv>({ strict: false }).get(
  "/healthz",
  describe({
    id: "health",
    tag: "Service",
    summary: "Whether the service answers",
    answer: { status: 200, description: "It does", schema: Health },
  }),
  (c) => c.json({ status: "ok" as const }),
);
