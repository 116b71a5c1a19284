/**
 * Goes on with sessions whose alarm was lost: replicates what is left, and starts what is due. It never makes an object:
 * what nobody has used yet is started in D1. This folder has the jobs that cron starts: the schedule is in
 * `wrangler.toml`, and `src/index.ts` runs them. Effects: two D1 queries, calls to session objects.
 */
import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { idleSessions, startUnusedSessions } from "../store/sessions.ts";
import { sessionStub } from "../live/session-client.ts";

/** How long D1 must have no update of a session, and how often the cron runs, in milliseconds. */
const IDLE_MS = 600_000;

/** Objects called in one run. An invocation may make 1,000 calls. The remaining sessions come with the next run. */
const MAX_SESSIONS_PER_RUN = 500;

/**
 * Calls open sessions that became idle since the last run, so that they replicate what an alarm should have replicated.
 * Each session is called once per idle period. A run looks back one and a half periods, so that no session falls
 * between two runs.
 */
export async function wakeIdleSessions(env: Env): Promise<void> {
  const db = database(env.DB);
  const until = now() - IDLE_MS;
  await startUnusedSessions(db, until, MAX_SESSIONS_PER_RUN);
  const idle = await idleSessions(db, until - 1.5 * IDLE_MS, until, MAX_SESSIONS_PER_RUN);
  await Promise.allSettled(
    idle.map(({ id, status }) => {
      const object = sessionStub(env, id);
      return status === "SCHEDULED" ? object.schedule() : object.catchUp();
    }),
  );
}
