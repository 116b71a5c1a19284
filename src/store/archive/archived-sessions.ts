/**
 * What D1 knows of the archive: which sessions have messages that could go there, where those of a session are, and the
 * removal of rows that the archive has. Effects: D1.
 */
import { and, asc, eq, isNull, lt, lte, sql } from "drizzle-orm";
import type { LogArchive } from "../../core/log-archive.ts";
import type { Session, SessionStatus } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Database } from "../database.ts";
import { deleteMessagesBetween } from "../message-rows.ts";
import { sessions, turns } from "../tables.ts";

/** A session that may be due for the archive. */
export interface ArchiveCandidate extends Pick<Session, "id" | "createdAt" | "updatedAt" | "lastSeq"> {
  number: number;
}

/** Sessions of a status that the job has not looked at since a time, longest unseen first. Reads these rows only. */
export const findArchiveCandidates = (
  db: Database,
  status: SessionStatus,
  before: EpochMs,
  limit: number,
): Promise<ArchiveCandidate[]> => {
  const { number, id, createdAt, updatedAt, lastSeq } = sessions;
  return db
    .select({ number, id, createdAt, updatedAt, lastSeq })
    .from(sessions)
    .where(and(eq(sessions.status, status), lt(sessions.archiveCheckedAt, before)))
    .orderBy(asc(sessions.archiveCheckedAt))
    .limit(limit);
};

const POSTPONE = `UPDATE sessions SET archive_checked_at = later.value ->> 1
  FROM json_each(?) AS later WHERE sessions.number = later.value ->> 0 AND archive_checked_at IS NOT NULL`;

/** Has the job take sessions for looked at, each at a time. */
export async function postponeArchiving(
  db: Database,
  sessionsWithTimes: [number: number, at: EpochMs][],
): Promise<void> {
  if (sessionsWithTimes.length > 0) await db.$client.prepare(POSTPONE).bind(JSON.stringify(sessionsWithTimes)).run();
}

/** Has readers look into the archive for this part of a log. Its rows in D1 can go then. */
export async function markArchived(db: Database, id: string, archive: LogArchive): Promise<void> {
  await db.update(sessions).set({ archive }).where(eq(sessions.id, id));
}

/** Rows of messages per statement. */
const DELETED_AT_ONCE = 1_000;

/** Deletes the rows that the archive has, a bounded number at a time. Idempotent. */
export async function deleteArchivedRows(db: Database, id: string, { lastSeq, lastTurn }: LogArchive): Promise<void> {
  for (let upTo = lastSeq; upTo > 0; upTo -= DELETED_AT_ONCE)
    await deleteMessagesBetween(db, id, Math.max(0, upTo - DELETED_AT_ONCE), upTo).run();
  await db.delete(turns).where(and(eq(turns.sessionId, id), lte(turns.number, lastTurn)));
}

/** Ends the job's interest in a session, if it still ends where the archive does. */
export async function forgetCandidate(db: Database, id: string, { lastSeq }: LogArchive): Promise<void> {
  const isWhole = and(eq(sessions.id, id), eq(sessions.lastSeq, lastSeq));
  await db.update(sessions).set({ archiveCheckedAt: null }).where(isWhole);
}

/** Has the job look at a session again, since it can get messages. Writes nothing if the job does so anyway. */
export async function addCandidate(db: Database, id: string, at: EpochMs): Promise<void> {
  const isForgotten = and(eq(sessions.id, id), isNull(sessions.archiveCheckedAt));
  await db.update(sessions).set({ archiveCheckedAt: at }).where(isForgotten);
}

/** Where the archive has the logs of sessions, by id. For a batch. */
export const selectArchives = (db: Database, ids: string[]) =>
  db
    .select({ id: sessions.id, archive: sessions.archive })
    .from(sessions)
    .where(sql`${sessions.id} in (select value from json_each(${JSON.stringify(ids)}))`);
