/**
 * Where the archive has the first part of a session's log. The messages after it are in D1, or in the session's object.
 * Reading and writing do not belong here: that is `store/archive`. Pure.
 */

/** Describes the first `bytes` of the session's object in the archive. What follows them belongs to a later description. */
export interface LogArchive {
  /** Version of the lines. */
  version: 1;
  /** The `seq` of the last message. */
  lastSeq: number;
  /** The number of the last turn; 0 if there is none. */
  lastTurn: number;
  bytes: number;
  /** The first `seq` and the position in bytes of each chunk, so that a page is read without those before it. */
  chunks: [seq: number, position: number][];
}

/** Messages after this `seq` are not in the archive. */
export const archivedSeq = ({ archive }: { archive: LogArchive | null }): number => archive?.lastSeq ?? 0;
