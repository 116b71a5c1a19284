/** `GET /healthz` as the OpenAPI document describes it. */
import * as z from "zod";
import { timeOutput } from "./http/response-fields.ts";
import type { Operations } from "./openapi/operations.ts";

const Migrations = z.object({
  expected: z.string().meta({ description: "The newest migration that this code was written for" }),
  applied: z.string().nullable().meta({ description: "The newest migration of the database" }),
});

const Tokens = z.object({ previousKey: z.array(z.string()), unreadable: z.array(z.string()) }).meta({
  description: "Endpoints whose token only a previous ENCRYPTION_KEY opens, and those whose token none opens",
});

export const Health = z
  .object({
    status: z.enum(["ok", "degraded"]),
    database: z.object({ reachable: z.boolean(), milliseconds: z.number().int() }).optional(),
    migrations: Migrations.optional(),
    tokens: Tokens.optional(),
    problems: z.array(z.string()).optional().meta({ description: "What is wrong with the settings or the database" }),
    parked: z
      .array(z.object({ sessionId: z.string(), seq: z.number().int(), error: z.string(), at: timeOutput }))
      .optional()
      .meta({ description: "Messages that the index database does not accept. Their sessions keep them" }),
  })
  .meta({ id: "Health" });

export const operations: Operations = {
  "GET /healthz": {
    id: "health",
    tag: "Service",
    summary: "Whether the service answers. With deep=1, for an admin: the state of its database and settings",
    response: { status: 200, description: "The service answers", schema: Health },
    problems: [401, 403, 503],
  },
};
