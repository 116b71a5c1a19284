/**
 * The archive: an R2 bucket with one object for each session whose log, or the first part of it, is no longer in D1.
 *
 * This folder reads and writes these objects. `lines.ts` has their form, `read-archive.ts` and `write-archive.ts` their
 * content, `archived-sessions.ts` what D1 knows of them. Which messages are where is decided in `../session-log.ts`.
 * Effects: none here.
 */
import type { Database } from "../database.ts";
import { database } from "../database.ts";

/** Where logs are: in D1, and in the archive if there is one. */
export interface LogStore {
  db: Database;
  archive: R2Bucket | null;
}

/** The bucket of the binding `ARCHIVE`; `null` without one. Read by its name: most deployments have no such binding. */
export const archiveOf = (env: object): R2Bucket | null =>
  (Reflect.get(env, "ARCHIVE") as R2Bucket | undefined) ?? null;

export const logStore = (env: { DB: D1Database }): LogStore => ({ db: database(env.DB), archive: archiveOf(env) });

const DEFAULT_ARCHIVE_AFTER_DAYS = 30;

/** How long an active session must be idle to be archived, in days; `null` if the setting is not valid. */
export function archiveAfterDays({ ARCHIVE_AFTER_DAYS: setting }: { ARCHIVE_AFTER_DAYS?: string }): number | null {
  if (setting === undefined || setting.trim() === "") return DEFAULT_ARCHIVE_AFTER_DAYS;
  return Number(setting) >= 0 ? Number(setting) : null;
}

/** The name of a session's object. Ids have no character that a name could not have. */
export const objectName = (sessionId: string): string => `sessions/${sessionId}.jsonl`;

/** An archive that does not answer, or lacks what it should have. Another attempt may help, so it answers 503. */
export const archiveError = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, cause === undefined ? {} : { cause }), { retryable: true });
