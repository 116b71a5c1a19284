/**
 * Goes on with sessions whose alarm was lost: replicates what is left, and starts what is due. It never makes an object:
 * what nobody has used yet is started in D1. This folder has the jobs that cron starts: the schedule is in
 * `wrangler.toml`, and `src/index.ts` runs them. Effects: three D1 queries, calls to session objects.
 */
import { now } from "../core/time.ts";
import { database } from "../store/database.ts";
import { leftBehind, settleUses, startUnusedSessions } from "../store/session-uses.ts";
import type { SessionUse } from "../store/session-uses.ts";
import { sessionStub } from "../live/session-client.ts";

/** How long D1 must have no update of a session, in milliseconds. */
const IDLE_MS = 600_000;

/** Uses looked at in one run, and overdue sessions. The remaining ones come with the next run. */
const MAX_SESSIONS_PER_RUN = 500;

/**
 * Calls open sessions that were used and went quiet, so that they replicate what an alarm should have replicated. Each
 * session is called once after it went quiet, or again two runs later if its object fails.
 */
export async function wakeIdleSessions(env: Env): Promise<void> {
  const db = database(env.DB);
  const before = now() - IDLE_MS;
  await startUnusedSessions(db, before, MAX_SESSIONS_PER_RUN);
  const { uses, overdue } = await leftBehind(db, before, MAX_SESSIONS_PER_RUN);
  const notQuiet = overdue.filter((id) => !uses.some((use) => use.id === id));
  const started = Promise.allSettled(notQuiet.map((id) => sessionStub(env, id).schedule()));
  const failed: SessionUse[] = [];
  await Promise.all(uses.map((use) => wakeQuiet(env, use, before).catch(() => failed.push(use))));
  await started;
  const done = uses.filter((use) => !failed.includes(use));
  if (uses.length > 0) await settleUses(db, done, failed, now());
}

/** A session that is busy again has a later use. One that ended has no object. */
async function wakeQuiet(env: Env, { id, status, updatedAt }: SessionUse, before: number): Promise<void> {
  if (id === null || updatedAt === null || updatedAt >= before) return;
  if (status === "ACTIVE") await sessionStub(env, id).catchUp();
  if (status === "SCHEDULED") await sessionStub(env, id).schedule();
}
