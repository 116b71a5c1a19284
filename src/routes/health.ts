import { Hono } from "hono";
import * as z from "zod";
import { isoTime, now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { listDeadLetters } from "../store/dead-letters.ts";
import { settingsProblems } from "./http/settings.ts";
import { callerOf, rejectSignIn } from "./http/authenticate.ts";
import type { AppEnv } from "./http/context.ts";
import { timeOutput } from "./http/fields.ts";
import { describe } from "./openapi/describe.ts";
import { respondWithProblem } from "./http/respond-with-problem.ts";
import { query } from "./http/validate.ts";

/** How many parked messages are shown. */
const MAX_DEAD_LETTERS = 100;

const Health = z
  .object({
    status: z.enum(["ok", "degraded"]),
    database: z.object({ reachable: z.boolean(), milliseconds: z.number().int() }).optional(),
    problems: z.array(z.string()).optional().meta({ description: "What is not set up as it should be" }),
    parked: z
      .array(z.object({ sessionId: z.string(), seq: z.number().int(), error: z.string(), at: timeOutput }))
      .optional()
      .meta({ description: "Messages that the index database does not take: their sessions keep them" }),
  })
  .meta({ id: "Health" });

/** Routes about the service itself. */
export const health = new Hono<AppEnv>({ strict: false }).get(
  "/healthz",
  describe({
    id: "health",
    tag: "Service",
    summary: "Whether the service answers; with deep=1, for an admin, how its database is",
    answer: { status: 200, description: "It does", schema: Health },
    problems: [401, 403],
  }),
  query(z.object({ deep: z.string().optional() })),
  async (c) => {
    if (c.req.valid("query").deep !== "1") return c.json({ status: "ok" as const });
    const caller = await callerOf(c);
    if ("reason" in caller) return rejectSignIn(c, caller);
    return caller.role === "admin" ? c.json(await deepHealth(c.env)) : respondWithProblem(c, { reason: "forbidden" });
  },
);

async function deepHealth(env: Env): Promise<z.output<typeof Health>> {
  const began = now();
  const problems = settingsProblems(env);
  try {
    const parked = (await listDeadLetters(database(env.DB), MAX_DEAD_LETTERS)).map(({ at, ...rest }) => ({
      ...rest,
      at: isoTime(at),
    }));
    const status = parked.length + problems.length === 0 ? "ok" : "degraded";
    return { status, database: { reachable: true, milliseconds: now() - began }, problems, parked };
  } catch {
    return { status: "degraded", database: { reachable: false, milliseconds: now() - began }, problems };
  }
}
