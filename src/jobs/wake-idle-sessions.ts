/**
 * Goes on with sessions whose alarm was lost: replicates what is left, and starts what is due. It never makes an object:
 * what nobody has used yet is started in D1. This folder has the jobs that cron starts: the schedule is in
 * `wrangler.toml`, and `src/index.ts` runs them. Effects: D1, calls to session objects.
 */
import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { oldestUses, overdueSessions, settleUses, startUnusedSessions } from "../store/session-uses.ts";
import type { SessionUse } from "../store/session-uses.ts";
import { sessionStub } from "../live/session-client.ts";

/** How long D1 must have no update of a session, in milliseconds. */
const IDLE_MS = 600_000;

/** Objects called at the same time. */
const SESSIONS_PER_STEP = 500;

/** An invocation may make 10,000 calls. The remaining sessions come with the next run. */
const MAX_STEPS = 4;

/**
 * Calls open sessions that were used and went quiet, so that they replicate what an alarm should have replicated. Each
 * session is called once after it went quiet, or again two runs later if its object fails.
 */
export async function wakeIdleSessions(env: Env): Promise<void> {
  const db = database(env.DB);
  const before = now() - IDLE_MS;
  await startUnusedSessions(db, before, SESSIONS_PER_STEP);
  const overdue = await overdueSessions(db, before, SESSIONS_PER_STEP);
  await Promise.allSettled(overdue.map((id) => sessionStub(env, id).schedule()));
  for (let step = 0; step < MAX_STEPS; step++) {
    const uses = await oldestUses(db, before, SESSIONS_PER_STEP);
    const failed: SessionUse[] = [];
    await Promise.all(uses.map((use) => wakeQuiet(env, use, before).catch(() => failed.push(use))));
    const done = uses.filter((use) => !failed.includes(use));
    if (uses.length > 0) await settleUses(db, done, failed, now());
    if (uses.length < SESSIONS_PER_STEP) return;
  }
}

/** A session that is busy again has a later use. One that ended has no object. */
async function wakeQuiet(env: Env, { id, status, updatedAt }: SessionUse, before: number): Promise<void> {
  if (id === null || updatedAt === null || updatedAt >= before) return;
  if (status === "ACTIVE" || status === "SCHEDULED") await sessionStub(env, id).catchUp();
}
