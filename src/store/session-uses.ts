/**
 * Finds open sessions that may have been left behind, for cron: those that went quiet, and those whose start is overdue.
 * What cron does with them is in `jobs/`. Effects: D1.
 */
import { and, eq, gt, inArray, isNotNull, lt, sql } from "drizzle-orm";
import type { SessionStatus } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { sessions, sessionUses } from "./tables.ts";

/** The length of a period of `session_uses`, which the trigger `session_used` knows too. */
const PERIOD_MS = 600_000;

/** A use of a session, with the session as it is now: `null` if it was deleted. */
export interface SessionUse {
  period: number;
  sessionNumber: number;
  id: string | null;
  status: SessionStatus | null;
  updatedAt: EpochMs | null;
}

const isDue = (before: EpochMs) => and(isNotNull(sessions.dueAt), lt(sessions.dueAt, before));

/** The oldest uses in periods that ended before a time, with their sessions. */
export const oldestUses = (db: Database, before: EpochMs, limit: number): Promise<SessionUse[]> =>
  db
    .select({
      period: sessionUses.period,
      sessionNumber: sessionUses.sessionNumber,
      id: sessions.id,
      status: sessions.status,
      updatedAt: sessions.updatedAt,
    })
    .from(sessionUses)
    .leftJoin(sessions, eq(sessions.number, sessionUses.sessionNumber))
    .where(lt(sessionUses.period, Math.floor(before / PERIOD_MS)))
    .orderBy(sessionUses.period, sessionUses.sessionNumber)
    .limit(limit);

/**
 * Scheduled sessions that were used and whose start is due since `before`, by their ids. A session that D1 has never seen
 * used is not among them: it has no object.
 */
export async function overdueSessions(db: Database, before: EpochMs, limit: number): Promise<string[]> {
  const overdue = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(isDue(before), eq(sessions.status, "SCHEDULED"), gt(sessions.updatedAt, sessions.createdAt)))
    .orderBy(sessions.dueAt)
    .limit(limit);
  return overdue.map(({ id }) => id);
}

const THESE = "(period, session_number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";

/** Removes uses that were looked at, and moves others to the current period, for a later look. One round trip. */
export async function settleUses(
  { $client }: Database,
  done: SessionUse[],
  later: SessionUse[],
  at: EpochMs,
): Promise<void> {
  const keys = (uses: SessionUse[]) => JSON.stringify(uses.map(({ period, sessionNumber }) => [period, sessionNumber]));
  await $client.batch([
    $client.prepare(`DELETE FROM session_uses WHERE ${THESE}`).bind(keys(done)),
    $client
      .prepare(`UPDATE OR REPLACE session_uses SET period = ? WHERE ${THESE}`)
      .bind(Math.floor(at / PERIOD_MS), keys(later)),
  ]);
}

/**
 * Starts scheduled sessions that nobody has used and whose start is due since `before`: their object was never asked to
 * start them. `updatedAt` stays, so that they still count as unused.
 */
export async function startUnusedSessions(db: Database, before: EpochMs, limit: number): Promise<void> {
  const due = db
    .select({ number: sessions.number })
    .from(sessions)
    .where(and(isDue(before), eq(sessions.status, "SCHEDULED"), eq(sessions.updatedAt, sessions.createdAt)))
    .orderBy(sessions.dueAt)
    .limit(limit);
  const started = { status: "ACTIVE", dueAt: null, metadataVersion: sql`${sessions.metadataVersion} + 1` } as const;
  await db.update(sessions).set(started).where(inArray(sessions.number, due));
}
