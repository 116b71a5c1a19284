/**
 * Moves the logs of sessions that ended, or are idle, into the archive, if there is one. Each session's object moves its
 * own log, so nothing else changes the session meanwhile. What the job reads is bounded, and found by an index. Effects:
 * D1 queries, calls to session objects.
 */
import type { SessionStatus } from "../core/session.ts";
import { rootCause } from "../core/failure.ts";
import { DAY_MS, now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";
import { sessionStub } from "../live/session-client.ts";
import { findArchiveCandidates, postponeArchiving } from "../store/archive/archived-sessions.ts";
import type { ArchiveCandidate } from "../store/archive/archived-sessions.ts";
import { archiveAfterDays, archiveOf } from "../store/archive/bucket.ts";
import { database } from "../store/database.ts";

/** How long a session must have ended, in milliseconds: until then its object keeps the results of idempotency keys. */
const ENDED_MS = DAY_MS;

/** Sessions of each status that one run looks at, of 10,000 calls that an invocation may make. The others come with the next run. */
const MAX_SESSIONS_PER_RUN = 1_000;

/** Logs that are moved at the same time. */
const MAX_AT_ONCE = 20;

/** A session that could not be archived is looked at again after this time, in milliseconds. */
const RETRY_MS = DAY_MS / 24;

/** Which sessions go into the archive: those of a status, unchanged for a time. */
interface Rule {
  status: SessionStatus;
  unchangedMs: number;
}

export async function archiveSessions(env: Env): Promise<void> {
  const days = archiveAfterDays(env);
  if (!archiveOf(env) || days === null) return;
  const rules: Rule[] = [
    { status: "COMPLETED", unchangedMs: ENDED_MS },
    { status: "TERMINATED", unchangedMs: ENDED_MS },
    { status: "ACTIVE", unchangedMs: days * DAY_MS },
  ];
  let archived = 0;
  for (const rule of rules) archived += await archiveByRule(env, rule, now());
  if (archived > 0) console.info({ event: "sessions-archived", sessions: archived });
}

/** @returns how many sessions were archived */
async function archiveByRule(env: Env, { status, unchangedMs }: Rule, at: EpochMs): Promise<number> {
  const db = database(env.DB);
  const unchangedSince = at - unchangedMs;
  const candidates = await findArchiveCandidates(db, status, unchangedSince, MAX_SESSIONS_PER_RUN);
  const due = candidates.filter((candidate) => isDue(candidate, unchangedSince));
  const left = await archiveEach(env, due, unchangedSince);
  await postponeArchiving(db, [
    // From the last change on, it may be idle.
    ...candidates
      .filter((candidate) => !due.includes(candidate))
      .map(({ number, updatedAt }): [number, EpochMs] => [number, updatedAt > unchangedSince ? updatedAt : at]),
    ...left.map(({ number }): [number, EpochMs] => [number, unchangedSince + RETRY_MS]),
  ]);
  return due.length - left.length;
}

/** A session that nobody used has no object, and only cron would make one: its greeting stays in D1. */
const isDue = ({ createdAt, updatedAt, lastSeq }: ArchiveCandidate, unchangedSince: EpochMs): boolean =>
  updatedAt < unchangedSince && updatedAt > createdAt && lastSeq > 0;

/** @returns the sessions that were not archived */
async function archiveEach(env: Env, due: ArchiveCandidate[], unchangedSince: EpochMs): Promise<ArchiveCandidate[]> {
  const left: ArchiveCandidate[] = [];
  const waiting = due.values();
  const work = async () => {
    for (const candidate of waiting) {
      const isArchived = await sessionStub(env, candidate.id)
        .archive({ unchangedSince })
        .catch((error: unknown) => {
          console.error({ event: "session-not-archived", sessionId: candidate.id, error: rootCause(error) });
          return false;
        });
      if (!isArchived) left.push(candidate);
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
  return left;
}
