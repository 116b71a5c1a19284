/** What the cron pass wakes: only sessions that were used, and it makes no object. */
import { createScheduledController, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { database } from "../../../src/store/database.ts";
import { idleSessions, startUnusedSessions } from "../../../src/store/sessions.ts";
import { revokedSubscriptions } from "../../../src/store/subscriptions.ts";
import { del, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";

const MINUTE = 60_000;

beforeEach(() => env.DB.exec("delete from sessions; delete from subscriptions"));
afterEach(() => {
  vi.restoreAllMocks();
});

const runCron = () => worker.scheduled(createScheduledController(), env);

/** Moves a session into the past: its creation, and its last update in D1. */
const age = (id: string, createdMinutes: number, updatedMinutes: number) =>
  env.DB.prepare("update sessions set created_at = ?, updated_at = ? where id = ?")
    .bind(Date.now() - createdMinutes * MINUTE, Date.now() - updatedMinutes * MINUTE, id)
    .run();

/** The sessions whose object cron calls, in order. */
async function wokenByCron(): Promise<string[]> {
  const calls = vi.spyOn(env.SESSIONS, "getByName");
  await runCron();
  const names = calls.mock.calls.map(([name]) => name);
  calls.mockRestore();
  return names;
}

async function usedSession(): Promise<string> {
  const id = await createSession();
  await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "a" } });
  return id;
}

it("wakes sessions that were used and went quiet, oldest first, and no others", async () => {
  const [newer, older, gone, busy, ended] = [
    await usedSession(),
    await usedSession(),
    await usedSession(),
    await usedSession(),
    await usedSession(),
  ];
  const unused = await createSession();
  await post(`/sessions/${ended}/end`);
  await age(newer, 60, 11);
  await age(older, 60, 14);
  await age(gone, 90, 60);
  await age(busy, 60, 1);
  await age(ended, 60, 12);
  await age(unused, 12, 12);
  expect(await wokenByCron()).toEqual([older, newer]);
});

it("makes no object", async () => {
  const before = (await listDurableObjectIds(env.SESSIONS)).length;
  const chatbotId = await createChatbot();
  const clientId = await createClient();
  for (let n = 0; n < 5; n++) await age(await createSession({ chatbotId, clientId }), 12, 12);
  await runCron();
  expect(await listDurableObjectIds(env.SESSIONS)).toHaveLength(before);
});

it("starts a due session in D1 that its object was never asked to start", async () => {
  vi.spyOn(env.SESSIONS, "getByName").mockImplementationOnce(() => {
    throw Object.assign(new Error("Network connection lost."), { retryable: true });
  });
  const startTime = new Date(Date.now() + MINUTE).toISOString();
  const id = await createSession({ startTime });
  vi.restoreAllMocks();
  await env.DB.prepare("update sessions set created_at = ?1, updated_at = ?1, due_at = ?2 where id = ?3")
    .bind(Date.now() - 30 * MINUTE, Date.now() - 11 * MINUTE, id)
    .run();
  expect(await wokenByCron()).toEqual([]);
  expect((await get("/sessions?status=ACTIVE")).body.data.results).toMatchObject([{ id }]);
  const appended = await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "a" } });
  expect(appended.status).toBe(200);
  expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ status: "ACTIVE", messages: [{ content: "a" }] });
});

it("wakes a used session whose start is due and whose alarm was lost", async () => {
  const id = await createSession({ startTime: new Date(Date.now() + MINUTE).toISOString() });
  const object = env.SESSIONS.getByName(id);
  await runInDurableObject(object, (_, { storage }) => storage.deleteAlarm());
  await env.DB.prepare("update sessions set created_at = ?, updated_at = ?, due_at = ? where id = ?")
    .bind(Date.now() - 90 * MINUTE, Date.now() - 60 * MINUTE, Date.now() - 11 * MINUTE, id)
    .run();
  expect(await wokenByCron()).toEqual([id]);
});

it("takes no more than asked for, however many there are", async () => {
  const id = await createSession();
  const columns =
    "id, kind, title, title_folded, status, start_time, due_at, chatbot_id, client_id, chats, created_at, updated_at, last_seq, metadata_version, message_count";
  const copies = (status: string, updatedAt: number, dueAt: string) =>
    env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 600)
       insert into sessions (${columns}) select '${status}' || i, kind, title, title_folded, '${status}', start_time, ${dueAt},
       chatbot_id, client_id, chats, 1, ${updatedAt} + i % 2, 0, 0, 0 from n, sessions where id = ?`,
    )
      .bind(id)
      .run();
  await copies("ACTIVE", 1_000, "null");
  await copies("SCHEDULED", 0, "1");
  const db = database(env.DB);
  const idle = await idleSessions(db, 900, 1_100, 500);
  expect(idle).toHaveLength(500);
  await startUnusedSessions(db, 5, 100);
  const { results } = await env.DB.prepare("select id from sessions where status = 'SCHEDULED'").all();
  expect(results).toHaveLength(500);
});

it("calls 500 sessions at most in one pass", async () => {
  const id = await usedSession();
  await age(id, 60, 11);
  const columns = (
    await env.DB.prepare("select name from pragma_table_info('sessions') where name not in ('id', 'number')").all<{
      name: string;
    }>()
  ).results.map(({ name }) => name);
  await env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 520)
     insert into sessions (id, ${columns.join(", ")}) select 'copy' || i, ${columns.join(", ")} from n, sessions where id = ?`,
  )
    .bind(id)
    .run();
  const called = vi.spyOn(env.SESSIONS, "getByName").mockReturnValue({ catchUp: async () => undefined } as never);
  await runCron();
  expect(called).toHaveBeenCalledTimes(500);
});

it("closes what a revoked key left open, without an object for a session that has ended", async () => {
  const [open, ended] = [await usedSession(), await usedSession()];
  await post(`/sessions/${ended}/end`);
  const { id: keyId } = (await post("/keys", { name: "k", role: "service" })).body.data;
  await del(`/keys/${keyId}`);
  const { id: valid } = (await post("/keys", { name: "k", role: "service" })).body.data;
  const rows = [
    [keyId, open],
    [keyId, ended],
    ["0", ended],
    [valid, open],
    ["zzz", open],
  ];
  const insert = env.DB.prepare("insert into subscriptions (key_id, session_id) values (?, ?)");
  await env.DB.batch(rows.map((row) => insert.bind(...row)));
  expect(await wokenByCron()).toEqual([open, open]);
  const { results } = await env.DB.prepare("select key_id, session_id from subscriptions").all();
  expect(results).toEqual([{ key_id: valid, session_id: open }]);
});

it("reads no subscription of a key that exists", async () => {
  const id = await createSession();
  const { id: keyId } = (await post("/keys", { name: "k", role: "service" })).body.data;
  await env.DB.prepare(
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000) insert into subscriptions (key_id, session_id) select ?, ? || i from n",
  )
    .bind(keyId, id)
    .run();
  const prepare = vi.spyOn(env.DB, "prepare");
  expect(await revokedSubscriptions(database(env.DB), null, 400)).toEqual([]);
  const query = prepare.mock.calls.at(-1)?.[0] ?? "";
  const { meta } = await env.DB.prepare(query).bind(400).all();
  expect(meta.rows_read).toBeLessThan(20);
});
