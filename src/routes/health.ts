/**
 * `GET /healthz`: whether the service answers; for an admin with `deep=1` also whether D1 answers, what is wrong with
 * the settings, which migrations D1 has, and which messages it does not accept. Monitoring calls the plain form, so that
 * has no rate limit and, in a deployment, makes no query.
 */
import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import { isLocalStart } from "../core/local-start.ts";
import { isoTime, now } from "../core/time.ts";
import { checkTokens } from "../providers/call/check-tokens.ts";
import { database } from "../store/database.ts";
import { listDeadLetters } from "../store/dead-letters.ts";
import { endpointPages } from "../store/endpoints.ts";
import { LACKS_TABLES, NEWEST_MIGRATION, appliedMigrations, lacksTables } from "../store/migrations.ts";
import { settingsProblems } from "./http/settings.ts";
import { roleMissing, signIn } from "./http/authenticate.ts";
import type { AppEnv } from "./http/context.ts";
import type { Health } from "./health-docs.ts";
import { respondWithProblem } from "./http/respond-with-problem.ts";
import { query } from "./http/validate.ts";

/** How many dead letters to show. */
const MAX_DEAD_LETTERS = 100;

export const health = new Hono<AppEnv>({ strict: false }).get(
  "/healthz",
  query(z.strictObject({ deep: z.optional(z.enum(["0", "1"])) })),
  async (c) => {
    if (c.req.valid("query").deep !== "1")
      return (await isReady(c.env)) ? c.json({ status: "ok" as const }) : respondWithProblem(c, { reason: "starting" });
    // The path is open, so `authenticate` has not run.
    const caller = await signIn(c);
    if ("reason" in caller) return respondWithProblem(c, caller);
    return caller.role === "admin"
      ? c.json(await deepHealth(c.env))
      : respondWithProblem(c, roleMissing(caller, ["admin"]));
  },
);

/** A deployment is ready when it answers. A local start has to prepare its database, and harnesses wait for that. */
async function isReady(env: Env): Promise<boolean> {
  if (!isLocalStart(env)) return true;
  return hasNewestMigration(await appliedMigrations(database(env.DB)).catch(() => []));
}

/** Whether the database has what this code needs. After a rollback of the code it has more. */
const hasNewestMigration = (applied: string[]): boolean => applied.includes(NEWEST_MIGRATION);

async function deepHealth(env: Env): Promise<z.output<typeof Health>> {
  const startedAt = now();
  const problems = settingsProblems(env);
  try {
    const db = database(env.DB);
    const [deadLetters, applied, tokens] = await Promise.all([
      listDeadLetters(db, MAX_DEAD_LETTERS),
      appliedMigrations(db),
      checkTokens(endpointPages(db), env),
    ]);
    if (tokens.unreadable.length > 0)
      problems.push(`No key opens the tokens of these endpoints, set them again: ${tokens.unreadable.join(", ")}`);
    if (!hasNewestMigration(applied))
      problems.push(`The database lacks the migration ${NEWEST_MIGRATION}: npm run deploy`);
    const parked = deadLetters.map(({ at, ...letter }) => ({ ...letter, at: isoTime(at) }));
    const status = parked.length + problems.length === 0 ? "ok" : "degraded";
    const migrations = { expected: NEWEST_MIGRATION, applied: applied[0] ?? null };
    return {
      status,
      database: { reachable: true, milliseconds: now() - startedAt },
      migrations,
      tokens,
      problems,
      parked,
    };
  } catch (error) {
    const reachable = lacksTables(error);
    const answer = { status: "degraded" as const, database: { reachable, milliseconds: now() - startedAt }, problems };
    if (!reachable) return answer;
    problems.push(LACKS_TABLES);
    return { ...answer, migrations: { expected: NEWEST_MIGRATION, applied: null } };
  }
}
