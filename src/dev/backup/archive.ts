/**
 * The archive in a backup: a file for each archived session, as it is in the bucket, and a list of them.
 *
 * Reads and writes the bucket, a bounded number of bytes at a time, and the folder of the backup.
 */
import { createReadStream, existsSync, mkdirSync, openSync, closeSync, renameSync, statSync, writeSync } from "node:fs";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LogArchive } from "../../core/log-archive.ts";
import { objectName } from "../../store/archive/bucket.ts";
import { PartWriter } from "../../store/archive/part-writer.ts";
import { UserError } from "../program.ts";
import { lines } from "./lines.ts";

/** Bytes per read. */
const READ_BYTES = 8 * 1024 * 1024;

/** Sessions per query. */
const PAGE_SESSIONS = 500;

/** A line of the list: where the archive has a session's log. */
interface Archived {
  id: string;
  archive: LogArchive;
}

const listFile = (folder: string): string => join(folder, "archives.jsonl");
const logFile = (folder: string, id: string): string => join(folder, "archive", `${id}.jsonl`);

/** The bucket, or why there must be one. */
export function requireArchive(archive: R2Bucket | null): R2Bucket {
  if (archive) return archive;
  throw new UserError("There are archived sessions, and wrangler.toml has no [[r2_buckets]] with the binding ARCHIVE.");
}

/**
 * Copies the archived logs after the tables: a session that was archived meanwhile has its messages in one of the two.
 *
 * @returns how many there are
 */
export async function writeArchives(db: D1Database, bucket: R2Bucket | null, folder: string): Promise<number> {
  mkdirSync(join(folder, "archive"), { recursive: true, mode: 0o700 });
  writeFileSync(listFile(folder), "", { mode: 0o600 });
  let count = 0;
  for await (const archived of archivedSessions(db)) {
    if (!(await copyLog(requireArchive(bucket), folder, archived))) continue;
    appendFileSync(listFile(folder), `${JSON.stringify(archived)}\n`);
    count += 1;
  }
  return count;
}

async function* archivedSessions(db: D1Database): AsyncGenerator<Archived> {
  const query =
    "SELECT number, id, archive FROM sessions WHERE number > ? AND archive IS NOT NULL ORDER BY number LIMIT ?";
  for (let last = 0; ;) {
    const page = await db
      .prepare(query)
      .bind(last, PAGE_SESSIONS)
      .all<{ number: number; id: string; archive: string }>();
    for (const { number, id, archive } of page.results) {
      yield { id, archive: JSON.parse(archive) as LogArchive };
      last = number;
    }
    if (page.results.length < PAGE_SESSIONS) return;
  }
}

/** @returns whether the session still has an archive. It may have been deleted meanwhile. */
async function copyLog(bucket: R2Bucket, folder: string, { id, archive: { bytes } }: Archived): Promise<boolean> {
  const file = logFile(folder, id);
  if (existsSync(file) && statSync(file).size === bytes) return true;
  const target = openSync(`${file}.part`, "w", 0o600);
  try {
    for (let offset = 0; offset < bytes; offset += READ_BYTES) {
      const range = { offset, length: Math.min(READ_BYTES, bytes - offset) };
      const part = await bucket.get(objectName(id), { range });
      if (!part) return false;
      writeSync(target, new Uint8Array(await part.arrayBuffer()));
    }
  } finally {
    closeSync(target);
  }
  renameSync(`${file}.part`, file);
  return true;
}

/** Puts archived logs into a bucket, and has the restored sessions refer to them. Can be run again. */
export async function readArchives(db: D1Database, bucket: R2Bucket | null, folder: string): Promise<number> {
  if (!existsSync(listFile(folder))) return 0;
  let count = 0;
  for await (const line of lines(listFile(folder))) {
    const { id, archive } = JSON.parse(line) as Archived;
    await restoreLog(requireArchive(bucket), logFile(folder, id), id);
    await db.prepare("UPDATE sessions SET archive = ? WHERE id = ?").bind(JSON.stringify(archive), id).run();
    count += 1;
  }
  return count;
}

async function restoreLog(bucket: R2Bucket, file: string, id: string): Promise<void> {
  const writer = new PartWriter(bucket, objectName(id));
  for await (const bytes of createReadStream(file) as AsyncIterable<Uint8Array>) await writer.write(bytes);
  await writer.finish();
}
