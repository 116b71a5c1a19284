/** Ages sessions, archives them as cron does, and takes every answer that shows their logs. */
import { createScheduledController, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import { archiveSessions } from "../../src/jobs/archive-sessions.ts";
import worker from "../../src/index.ts";
import { ADMIN_KEY } from "./api.ts";

const DAY = 86_400_000;

/** Moves sessions into the past. They are as their objects leave them when nobody uses them: only in D1. */
export async function age(ids: string[], days = 40): Promise<void> {
  for (const id of ids) {
    const object = env.SESSIONS.getByName(id);
    await runInDurableObject(object, (_, { storage }) => storage.deleteAll());
    await evictDurableObject(object);
  }
  await env.DB.prepare(
    `update sessions set created_at = ?2, updated_at = ?2 + 1, archive_checked_at = coalesce(archive_checked_at, 0) * 0 + ?2
     where id in (select value from json_each(?1)) and archive_checked_at is not null`,
  )
    .bind(JSON.stringify(ids), Date.now() - days * DAY)
    .run();
}

/** Has the job look at a session in its next run. */
export const lookAgain = (id: string) =>
  env.DB.prepare("update sessions set archive_checked_at = 1 where id = ? and archive_checked_at is not null")
    .bind(id)
    .run();

/** Runs cron's job. */
export const runArchiveJob = () => archiveSessions(env);

export const runCron = () => worker.scheduled(createScheduledController(), env);

/** Ages sessions and archives them. */
export async function archive(ids: string[]): Promise<void> {
  await age(ids);
  await runArchiveJob();
  for (const id of ids) expect(await storedMessages(id), `messages of ${id} in D1`).toBe(0);
}

/** How many messages of a session D1 has. */
export async function storedMessages(id: string): Promise<number> {
  const row = await env.DB.prepare(
    "select count(*) as count from messages m join sessions s on s.number = m.key >> 20 where s.id = ?",
  )
    .bind(id)
    .first();
  return Number(row?.["count"]);
}

export const objectName = (id: string): string => `sessions/${id}.jsonl`;

export const isArchived = async (id: string): Promise<boolean> => (await env.ARCHIVE.head(objectName(id))) !== null;

/** The text of an answer, as it is. */
export async function textOf(path: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers } }),
  );
  return `${answer.status} ${new TextDecoder().decode(await answer.arrayBuffer())}`;
}

/** All answers to calls, by path, as texts. */
export const textsOf = async (paths: string[]): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await textOf(path)] as const)));
