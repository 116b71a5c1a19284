/**
 * `GET /healthz`: whether the service answers; for an admin with `deep=1` also whether D1 answers, what is wrong with
 * the settings, and which messages D1 does not accept. Monitoring calls the plain form, so that has no rate limit and
 * makes no query.
 */
import { Hono } from "hono/tiny";
import * as z from "zod";
import { isoTime, now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { listDeadLetters } from "../store/dead-letters.ts";
import { settingsProblems } from "./http/settings.ts";
import { signIn } from "./http/authenticate.ts";
import type { AppEnv } from "./http/context.ts";
import { timeOutput } from "./http/fields.ts";
import { describe } from "./openapi/describe.ts";
import { respondWithProblem } from "./http/respond-with-problem.ts";
import { query } from "./http/validate.ts";

/** How many dead letters to show. */
const MAX_DEAD_LETTERS = 100;

const Health = z
  .object({
    status: z.enum(["ok", "degraded"]),
    database: z.object({ reachable: z.boolean(), milliseconds: z.number().int() }).optional(),
    problems: z.array(z.string()).optional().meta({ description: "What is wrong with the settings" }),
    parked: z
      .array(z.object({ sessionId: z.string(), seq: z.number().int(), error: z.string(), at: timeOutput }))
      .optional()
      .meta({ description: "Messages that the index database does not accept. Their sessions keep them" }),
  })
  .meta({ id: "Health" });

export const health = new Hono<AppEnv>({ strict: false }).get(
  "/healthz",
  describe({
    id: "health",
    tag: "Service",
    summary: "Whether the service answers. With deep=1, for an admin: the state of its database and settings",
    response: { status: 200, description: "The service answers", schema: Health },
    problems: [401, 403],
  }),
  query(z.object({ deep: z.string().optional() })),
  async (c) => {
    if (c.req.valid("query").deep !== "1") return c.json({ status: "ok" as const });
    // The path is open, so `authenticate` has not run.
    const caller = await signIn(c);
    if ("reason" in caller) return respondWithProblem(c, caller);
    return caller.role === "admin" ? c.json(await deepHealth(c.env)) : respondWithProblem(c, { reason: "forbidden" });
  },
);

async function deepHealth(env: Env): Promise<z.output<typeof Health>> {
  const startedAt = now();
  const problems = settingsProblems(env);
  try {
    const deadLetters = await listDeadLetters(database(env.DB), MAX_DEAD_LETTERS);
    const parked = deadLetters.map(({ at, ...letter }) => ({ ...letter, at: isoTime(at) }));
    const status = parked.length + problems.length === 0 ? "ok" : "degraded";
    return { status, database: { reachable: true, milliseconds: now() - startedAt }, problems, parked };
  } catch {
    return { status: "degraded", database: { reachable: false, milliseconds: now() - startedAt }, problems };
  }
}
