/** What the cron pass wakes: only sessions that were used, and it makes no object. */
import { createScheduledController, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { database } from "../../../src/store/database.ts";
import { oldestUses, startUnusedSessions } from "../../../src/store/session-uses.ts";
import { del, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";

const MINUTE = 60_000;

beforeEach(() =>
  env.DB.exec("delete from sessions; delete from session_uses; delete from subscriptions; delete from revocations"),
);
afterEach(() => {
  vi.restoreAllMocks();
});

const runCron = () => worker.scheduled(createScheduledController(), env);

/** Moves a session into the past: its creation, and its last use as D1 knows it. */
async function age(id: string, createdMinutes: number, usedMinutes: number): Promise<void> {
  const [createdAt, usedAt] = [Date.now() - createdMinutes * MINUTE, Date.now() - usedMinutes * MINUTE];
  await env.DB.prepare("delete from session_uses where session_number = (select number from sessions where id = ?)")
    .bind(id)
    .run();
  // As if it had not been used before: the trigger then adds the use.
  await env.DB.prepare("update sessions set created_at = ?1, updated_at = ?1 where id = ?2").bind(createdAt, id).run();
  await env.DB.prepare("update sessions set updated_at = ? where id = ?").bind(usedAt, id).run();
}

const usesLeft = async (): Promise<number> =>
  (await env.DB.prepare("select count(*) as uses from session_uses").first<number>("uses")) ?? NaN;

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

it("wakes sessions that were used and went quiet, oldest first, each once, and no others", async () => {
  const [newer, older, oldest, busy, ended] = [
    await usedSession(),
    await usedSession(),
    await usedSession(),
    await usedSession(),
    await usedSession(),
  ];
  const unused = await createSession();
  await age(newer, 60, 31);
  await age(older, 60, 45);
  await age(oldest, 9_000, 8_000);
  await age(busy, 60, 40);
  await age(ended, 60, 32);
  await age(unused, 32, 32);
  await post(`/sessions/message?sessionId=${busy}`, { message: { role: "user", content: "again" } });
  await post(`/sessions/${ended}/end`);
  expect(await wokenByCron()).toEqual([oldest, older, newer]);
  expect(await wokenByCron()).toEqual([]);
  expect(await usesLeft()).toBe(1);
});

it("looks again later at a session whose object fails", async () => {
  const id = await usedSession();
  await age(id, 60, 40);
  vi.spyOn(env.SESSIONS, "getByName").mockImplementationOnce(() => {
    throw new Error("Network connection lost.");
  });
  await runCron();
  vi.restoreAllMocks();
  expect(await wokenByCron()).toEqual([]);
  await env.DB.exec("update session_uses set period = period - 3");
  expect(await wokenByCron()).toEqual([id]);
});

it("remembers a use once in ten minutes, so that further messages write no row for it", async () => {
  const id = await usedSession();
  await age(id, 60, 40);
  const start = Date.UTC(2040, 0);
  const writesAt = async (at: number) =>
    (await env.DB.prepare("update sessions set updated_at = ? where id = ?").bind(at, id).run()).meta.rows_written;
  const rows = [];
  for (const minutes of [1, 2, 9, 11, 12, 20, 21]) rows.push(await writesAt(start + minutes * MINUTE));
  expect(rows).toEqual([2, 1, 1, 2, 1, 2, 1]);
});

it("makes no object", async () => {
  const chatbotId = await createChatbot();
  const clientId = await createClient();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    ids.push(await createSession({ chatbotId, clientId }));
    await age(ids[n] ?? "", 32, 32);
  }
  await runCron();
  // Objects of other tests may appear late in the list.
  const existing = (await listDurableObjectIds(env.SESSIONS)).map(String);
  expect(ids.map((id) => String(env.SESSIONS.idFromName(id))).filter((id) => existing.includes(id))).toEqual([]);
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
  expect(new Set(await wokenByCron())).toEqual(new Set([id]));
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
  await copies("ACTIVE", 2, "null");
  await copies("SCHEDULED", 0, "1");
  await env.DB.exec("insert into session_uses select 0, number from sessions");
  const db = database(env.DB);
  expect(await oldestUses(db, 1_000_000, 500)).toHaveLength(500);
  await startUnusedSessions(db, 5, 100);
  const { results } = await env.DB.prepare("select id from sessions where status = 'SCHEDULED'").all();
  expect(results).toHaveLength(500);
});

it("calls 2,000 sessions at most in one pass, and the others in the next", async () => {
  const id = await usedSession();
  await env.DB.exec("delete from session_uses");
  await age(id, 60, 40);
  const columns = (
    await env.DB.prepare("select name from pragma_table_info('sessions') where name not in ('id', 'number')").all<{
      name: string;
    }>()
  ).results.map(({ name }) => name);
  await env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 2020)
     insert into sessions (id, ${columns.join(", ")}) select 'copy' || i, ${columns.join(", ")} from n, sessions where id = ?`,
  )
    .bind(id)
    .run();
  await env.DB.exec("insert into session_uses select 1, number from sessions where id like 'copy%'");
  const called = vi.spyOn(env.SESSIONS, "getByName").mockReturnValue({ catchUp: async () => undefined } as never);
  await runCron();
  expect(called).toHaveBeenCalledTimes(2_000);
  await runCron();
  expect(called).toHaveBeenCalledTimes(2_021);
});

it("closes what a revoked key left open, without an object for a session that has ended", async () => {
  const [open, ended] = [await usedSession(), await usedSession()];
  await post(`/sessions/${ended}/end`);
  const newKey = async (): Promise<string> => (await post("/keys", { name: "k", role: "service" })).body.data.id;
  const [revoked, valid, clientId] = [await newKey(), await newKey(), await createClient()];
  const rows = [
    [revoked, open],
    [revoked, ended],
    [valid, open],
    [`client:${clientId}`, open],
  ];
  const insert = env.DB.prepare("insert into subscriptions (key_id, session_id) values (?, ?)");
  await env.DB.batch(rows.map((row) => insert.bind(...row)));
  // The calls that revoke do not reach the object, so that cron has to.
  vi.spyOn(env.SESSIONS, "getByName").mockImplementation(() => {
    throw new Error("Network connection lost.");
  });
  await del(`/keys/${revoked}`);
  await del(`/clients/${clientId}`);
  await vi.waitFor(async () => expect(await revocations()).toHaveLength(2));
  vi.restoreAllMocks();
  await env.DB.prepare("delete from session_uses").run();
  await vi.waitFor(async () => expect(await wokenByCron()).toEqual([open, open]));
  const { results } = await env.DB.prepare("select key_id, session_id from subscriptions").all();
  expect(results).toEqual([{ key_id: valid, session_id: open }]);
  expect(await revocations()).toEqual([]);
});

const revocations = async (): Promise<unknown[]> => (await env.DB.prepare("select * from revocations").all()).results;

it("has nothing to close for a key without subscriptions", async () => {
  const { id } = (await post("/keys", { name: "k", role: "service" })).body.data;
  await del(`/keys/${id}`);
  expect(await revocations()).toEqual([]);
});

it("reads few rows, however many sessions, subscriptions, keys and tickets there are", async () => {
  const id = await usedSession();
  await env.DB.prepare("delete from session_uses").run();
  await fill("keys", "id, name, role, hash, created_at", "'key' || i, 'k', 'service', i, 1");
  await fill("subscriptions", "key_id, session_id", `'key' || i, '${id}'`);
  await fill("tickets", "hash, session_id, caller, expires_at", "i, 's', '{}', 9e15");
  await fill("idempotency_keys", "caller, key, fingerprint, at", "'c', i, 'f', 9e15");
  await fill(
    "sessions",
    "id, kind, status, start_time, due_at, chatbot_id, client_id, chats, created_at, updated_at, last_seq, metadata_version, message_count",
    "'s' || i, 'chatbot', iif(i % 2, 'ACTIVE', 'SCHEDULED'), 1, iif(i % 2, null, 9e15), 'b', 'c', '[]', 1, 2 + i, 0, 0, 0",
  );
  let read = 0;
  countRowsRead((rows) => (read += rows));
  await runCron();
  expect(read).toBeLessThan(50);
});

/** Inserts a thousand rows. */
const fill = (table: string, columns: string, values: string) =>
  env.DB.prepare(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000) insert into ${table} (${columns}) select ${values} from n`,
  ).run();

/** Reports the rows that D1 reads from now on. */
function countRowsRead(report: (rows: number) => void): void {
  const count = <T extends D1Result>(result: T): T => {
    report(result.meta.rows_read);
    return result;
  };
  const batch = env.DB.batch.bind(env.DB);
  vi.spyOn(env.DB, "batch").mockImplementation(async <T>(statements: D1PreparedStatement[]) =>
    (await batch<T>(statements)).map(count),
  );
  type Statement = Record<"all" | "run" | "raw", (this: Statement) => Promise<D1Result>>;
  const prototype = Object.getPrototypeOf(env.DB.prepare("select 1")) as Statement;
  const { all, run, raw } = prototype;
  vi.spyOn(prototype, "all").mockImplementation(async function (this: Statement) {
    return count(await all.call(this));
  });
  vi.spyOn(prototype, "run").mockImplementation(async function (this: Statement) {
    return count(await run.call(this));
  });
  // It answers rows alone, so the query runs twice.
  vi.spyOn(prototype, "raw").mockImplementation(async function (this: Statement) {
    count(await all.call(this));
    return raw.call(this);
  });
}
