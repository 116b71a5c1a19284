/** How logs move into the archive: which, in which order, and what remains when it is stopped at any step. */
import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  age,
  archive,
  isArchived,
  lookAgain,
  objectName,
  runArchiveJob,
  runCron,
  storedMessages,
  textOf,
} from "../../support/archive.ts";
import { openLog } from "../../../src/live/read-session.ts";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { breakD1 } from "../../support/faults.ts";
import { connect } from "../../support/follow.ts";
import { setVariables } from "../../support/settings.ts";

const DAY = 86_400_000;

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await env.DB.exec("delete from sessions");
});
afterEach(() => {
  vi.restoreAllMocks();
});

const objectOf = (id: string) => env.SESSIONS.getByName(id);

const appendMessage = async (id: string, content: string, headers: Record<string, string> = {}) => {
  const answer = await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } }, { headers });
  expect(answer.status).toBe(200);
};

async function usedSession(contents = ["one", "two"], fields = {}): Promise<string> {
  const id = await createSession(fields);
  for (const content of contents) await appendMessage(id, content);
  return id;
}

const contentsOf = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}/messages`)).body.data.messages.map(({ content }: { content: string }) => content);

const rowOf = (id: string) => env.DB.prepare("select * from sessions where id = ?").bind(id).first();

describe("the job", () => {
  it("archives what ended a day ago or was idle for 30 days, and nothing else", async () => {
    const [endedNow, endedBefore, idle, quiet] = [
      await usedSession(),
      await usedSession(),
      await usedSession(),
      await usedSession(),
    ];
    const unused = await createSession({ chatbotId: await createChatbot({ greeting: "Hello" }) });
    for (const id of [endedNow, endedBefore]) await post(`/sessions/${id}/end`);
    await age([endedNow], 0.9);
    await age([endedBefore], 1.1);
    await age([idle], 31);
    await age([quiet], 29);
    await env.DB.prepare("update sessions set created_at = 1, updated_at = 1, archive_checked_at = 1 where id = ?")
      .bind(unused)
      .run();
    const before = (await listDurableObjectIds(env.SESSIONS)).length;
    await runCron();
    const all = [endedNow, endedBefore, idle, quiet, unused];
    expect(await Promise.all(all.map(isArchived))).toEqual([false, true, true, false, false]);
    expect(await Promise.all(all.map(storedMessages))).toEqual([2, 0, 0, 2, 1]);
    expect(await listDurableObjectIds(env.SESSIONS)).toHaveLength(before);
  });

  it("follows ARCHIVE_AFTER_DAYS, and archives nothing when that is no number, or without an archive", async () => {
    const id = await usedSession();
    await age([id], 3);
    await runArchiveJob();
    expect(await isArchived(id)).toBe(false);
    setVariables({ ARCHIVE_AFTER_DAYS: "soon" });
    await runArchiveJob();
    expect((await get("/healthz?deep=1")).body.problems).toContainEqual(expect.stringMatching(/^ARCHIVE_AFTER_DAYS/));
    setVariables({ ARCHIVE_AFTER_DAYS: "2" });
    const bound = env.ARCHIVE;
    Reflect.deleteProperty(env, "ARCHIVE");
    await runArchiveJob();
    Reflect.set(env, "ARCHIVE", bound);
    expect(await storedMessages(id)).toBe(2);
    await runArchiveJob();
    expect([await isArchived(id), await storedMessages(id)]).toEqual([true, 0]);
  });

  it("looks at a session again when that can be due, and reads only the rows that it looks for", async () => {
    const [changed, failed] = [await usedSession(), await usedSession()];
    await age([changed, failed]);
    const changedAt = Date.now() - 2 * DAY;
    await env.DB.prepare("update sessions set updated_at = ? where id = ?").bind(changedAt, changed).run();
    vi.spyOn(env.ARCHIVE, "put").mockRejectedValueOnce(new Error("put: internal error"));
    await runArchiveJob();
    expect((await rowOf(changed))?.["archive_checked_at"]).toBe(changedAt);
    const again = Number((await rowOf(failed))?.["archive_checked_at"]) + 30 * DAY - Date.now();
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(3_600_000);
    const plan = await env.DB.prepare(
      "explain query plan select number from sessions where status = 'ACTIVE' and archive_checked_at < 5 order by archive_checked_at limit 3",
    ).all<{ detail: string }>();
    expect(plan.results.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^SEARCH .*INDEX sessions_to_archive \(status=\? AND archive_checked_at<\?\)$/),
    ]);
  });

  it("leaves alone what is in use: followed, or with messages that D1 does not have", async () => {
    const [followed, behind] = [await usedSession(), await usedSession()];
    const socket = await connect(`/sessions/${followed}/ws`);
    const tooLate = Date.now() + 40 * DAY;
    expect(await objectOf(followed).archive({ unchangedSince: tooLate })).toBe(false);
    const repair = breakD1();
    await appendMessage(behind, "three");
    // Otherwise the object remembers the call.
    await evictDurableObject(objectOf(behind));
    expect(await objectOf(behind).archive({ unchangedSince: tooLate })).toBe(false);
    repair();
    expect(await contentsOf(behind)).toEqual(["one", "two", "three"]);
    expect(await storedMessages(followed)).toBe(2);
    socket.socket.close();
  });
});

describe("stopped at any step, nothing is lost and nothing stands twice", () => {
  /** Stops the archiving of a session at a step. @returns goes on */
  const steps: [step: string, stop: () => () => void][] = [
    [
      "before the object is written",
      () => {
        const spy = vi.spyOn(env.ARCHIVE, "put").mockRejectedValue(new Error("stopped"));
        return () => spy.mockRestore();
      },
    ],
    ["before the row is marked", () => failAt(/^update "sessions" set "archive" =/)],
    ["before the rows of messages are deleted", () => failAt(/^DELETE FROM messages/)],
    ["before the turns are deleted", () => failAt(/^delete from "turns"/)],
    ["before the job forgets it", () => failAt(/^update "sessions" set "archive_checked_at"/)],
  ];

  /** D1 fails at a statement. */
  function failAt(statement: RegExp): () => void {
    const prepare = env.DB.prepare.bind(env.DB);
    const spy = vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      if (statement.test(query)) throw new Error("stopped");
      return prepare(query);
    });
    return () => spy.mockRestore();
  }

  it.each(steps)("%s", async (_, stop) => {
    const chatbotId = await createChatbot();
    const id = await usedSession(["one", "two"], { chatbotId });
    await post(`/sessions/chat?sessionId=${id}`, { content: "three" });
    await age([id]);
    const paths = [
      `/sessions/${id}`,
      `/sessions/${id}/messages?after=1`,
      `/sessions/${id}/export`,
      `/sessions?chatbotId=${chatbotId}`,
    ];
    const before = await Promise.all(paths.map((path) => textOf(path)));
    const goOn = stop();
    await runArchiveJob();
    goOn();
    expect(await Promise.all(paths.map((path) => textOf(path)))).toEqual(before);
    await lookAgain(id);
    await runArchiveJob();
    expect([await isArchived(id), await storedMessages(id)]).toEqual([true, 0]);
    expect(await Promise.all(paths.map((path) => textOf(path)))).toEqual(before);
    const { count } =
      (await env.DB.prepare("select count(*) as count from turns where session_id = ?").bind(id).first()) ?? {};
    expect(count).toBe(0);
    expect((await rowOf(id))?.["archive_checked_at"]).toBeNull();
  });

  it.each(steps)("%s, and going on before the next run", async (_, stop) => {
    const id = await usedSession();
    await age([id]);
    const goOn = stop();
    await runArchiveJob();
    goOn();
    await appendMessage(id, "three");
    expect(await contentsOf(id)).toEqual(["one", "two", "three"]);
    await age([id]);
    expect(await contentsOf(id)).toEqual(["one", "two", "three"]);
    await runArchiveJob();
    expect(await storedMessages(id)).toBe(0);
    expect(await contentsOf(id)).toEqual(["one", "two", "three"]);
    const text = await (await env.ARCHIVE.get(objectName(id)))?.text();
    expect(text?.trimEnd().split("\n")).toHaveLength(4);
  });
});

describe("a session that goes on", () => {
  it("takes messages and prompts, answers keys as before, and is archived again with all of them", async () => {
    const id = await usedSession(["one", "two"]);
    await archive([id]);
    await appendMessage(id, "three", { "idempotency-key": "k" });
    await appendMessage(id, "three", { "idempotency-key": "k" });
    expect((await post(`/sessions/chat?sessionId=${id}`, { content: "four" })).body.data.content).toBe("four");
    const all = ["one", "two", "three", "four", "four"];
    expect(await contentsOf(id)).toEqual(all);
    expect(await storedMessages(id)).toBe(3);
    await age([id]);
    // Its first part is in the archive, and the rest in D1.
    expect(await contentsOf(id)).toEqual(all);
    expect((await get("/sessions")).body.data.results[0].messages).toHaveLength(5);
    expect((await get(`/sessions/${id}/messages?after=1&limit=2`)).body.data).toMatchObject({
      messages: [{ content: "two" }, { content: "three" }],
      nextAfter: 3,
    });
    await runArchiveJob();
    expect(await storedMessages(id)).toBe(0);
    expect(await contentsOf(id)).toEqual(all);
    expect((await get("/sessions")).body.data.results[0].messages).toHaveLength(5);
  });

  it("sends its archived messages as context", async () => {
    const chatbotId = await createChatbot({ endpointId: await createEndpoint({ connector_type: "eliza-connector" }) });
    const id = await usedSession(["I need a holiday"], { chatbotId });
    await archive([id]);
    await post(`/sessions/chat?sessionId=${id}`, { content: "Yes" });
    expect(await contentsOf(id)).toHaveLength(3);
  });

  it("numbers the turns of a comparison after the archived ones", async () => {
    const { session_id: id, chat_ids: chats } = await createComparison([await createEndpoint()]);
    await post(`/v1/sessions/${id}/prompt`, { prompt: "first" });
    await archive([id]);
    const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "second" });
    expect(body[chats[0]].map((record: object) => record)).toMatchObject([
      { chat_record_id: 1, prompt: "first" },
      { chat_record_id: 2, prompt: "second" },
    ]);
  });

  it("is reopened after its end, ends again, and is archived again", async () => {
    const id = await usedSession();
    await post(`/sessions/${id}/end`);
    await archive([id]);
    expect((await put(`/sessions/${id}`, { title: "renamed" })).body.data.messages).toHaveLength(2);
    expect((await put(`/sessions/${id}`, { status: "ACTIVE" })).body.data.messages).toHaveLength(2);
    await appendMessage(id, "three");
    const ended = await post(`/sessions/${id}/end`);
    expect(ended.body.data).toMatchObject({ title: "renamed", messages: [{}, {}, { content: "three" }] });
    await age([id]);
    await runArchiveJob();
    expect([await storedMessages(id), await contentsOf(id)]).toEqual([0, ["one", "two", "three"]]);
  });

  it("while it is archived, loses nothing", async () => {
    const id = await usedSession(Array.from({ length: 30 }, (_, n) => `${n}`));
    await age([id]);
    const expected = await contentsOf(id);
    const put_ = env.ARCHIVE.put.bind(env.ARCHIVE);
    vi.spyOn(env.ARCHIVE, "put").mockImplementationOnce((async (name: string, value: Uint8Array) => {
      const written = await put_(name, value);
      await appendMessage(id, "meanwhile");
      return written;
    }) as unknown as typeof env.ARCHIVE.put);
    await runArchiveJob();
    expect(await contentsOf(id)).toEqual([...expected, "meanwhile"]);
    expect((await rowOf(id))?.["archive_checked_at"]).not.toBeNull();
    await appendMessage(id, "later");
    await age([id]);
    expect(await contentsOf(id)).toEqual([...expected, "meanwhile", "later"]);
    await runArchiveJob();
    expect([await storedMessages(id), (await contentsOf(id)).length]).toEqual([0, 32]);
  });
});

it("a reader who began before does not notice", async () => {
  const id = await usedSession(Array.from({ length: 6 }, (_, n) => `${n}`));
  await age([id]);
  const log = await openLog({ env, measure: (_, work) => work, keepAlive: () => undefined, hasLeft: () => false }, id);
  const first = await log?.page(0, 2);
  await runArchiveJob();
  expect(await storedMessages(id)).toBe(0);
  const rest = await log?.page(2, 10);
  expect([first, rest].flatMap((page) => page?.items.map(({ content }) => content))).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
  ]);
});

describe("a removed session", () => {
  it("is gone from the archive too, archived or archived in part", async () => {
    const [whole, part] = [await usedSession(), await usedSession()];
    await archive([whole, part]);
    await appendMessage(part, "three");
    for (const id of [whole, part]) {
      expect((await del(`/sessions/${id}`)).status).toBe(200);
      expect([await isArchived(id), await storedMessages(id)]).toEqual([false, 0]);
      expect((await get(`/sessions/${id}`)).status).toBe(404);
    }
  });

  it("is removed by a later call or an alarm while the archive cannot be changed", async () => {
    const [ended, open] = [await usedSession(), await usedSession()];
    await post(`/sessions/${ended}/end`);
    await archive([ended, open]);
    const broken = vi.spyOn(env.ARCHIVE, "delete").mockRejectedValue(new Error("delete: internal error (10001)"));
    for (const id of [ended, open]) expect((await del(`/sessions/${id}`)).status).toBe(503);
    broken.mockRestore();
    expect(await contentsOf(ended)).toEqual(["one", "two"]);
    expect((await del(`/sessions/${ended}`)).status).toBe(200);
    expect((await get(`/sessions/${open}`)).status).toBe(404);
    await runDurableObjectAlarm(objectOf(open));
    for (const id of [ended, open]) expect([await isArchived(id), await rowOf(id)]).toEqual([false, null]);
  });
});

describe("the storage of an object", () => {
  /** Moves what an object has into the past, as if nobody had used it. */
  async function ageObject(id: string, days: number): Promise<void> {
    await runInDurableObject(objectOf(id), (_, { storage }) => {
      const past = Date.now() - days * DAY;
      storage.sql.exec("update messages set appended_at = ?", past);
      storage.sql.exec("update state set state = json_set(state, '$.session.updatedAt', ?)", past);
    });
    await evictDurableObject(objectOf(id));
  }

  const tablesOf = (id: string) =>
    runInDurableObject(
      objectOf(id),
      (_, { storage }) => storage.sql.exec("select name from sqlite_schema where name = 'messages'").toArray().length,
    );

  it("is emptied when nobody used the session for 7 days, without an archive too, and it goes on as before", async () => {
    const bound = env.ARCHIVE;
    Reflect.deleteProperty(env, "ARCHIVE");
    const [idle, recent] = [await usedSession(), await usedSession()];
    await ageObject(idle, 7.1);
    await ageObject(recent, 6.9);
    for (const id of [idle, recent]) expect(await runDurableObjectAlarm(objectOf(id))).toBe(true);
    expect([await tablesOf(idle), await tablesOf(recent)]).toEqual([0, 1]);
    await appendMessage(idle, "three");
    expect(await contentsOf(idle)).toEqual(["one", "two", "three"]);
    expect(await tablesOf(idle)).toBe(1);
    Reflect.set(env, "ARCHIVE", bound);
  });

  it("is looked at by an alarm a week after the last change, which an append does not write", async () => {
    const id = await usedSession();
    const alarm = () => runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm());
    expect(Number(await alarm()) - Date.now()).toBeLessThan(31_000);
    await runDurableObjectAlarm(objectOf(id));
    const days = (Number(await alarm()) - Date.now()) / DAY;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
  });

  it("stays while somebody follows, or the result of a key is kept", async () => {
    const [followed, keyed] = [await usedSession(), await usedSession([])];
    await appendMessage(keyed, "one", { "idempotency-key": "k" });
    await ageObject(followed, 8);
    await ageObject(keyed, 8);
    const socket = await connect(`/sessions/${followed}/ws`);
    for (const id of [followed, keyed]) await runDurableObjectAlarm(objectOf(id));
    expect([await tablesOf(followed), await tablesOf(keyed)]).toEqual([1, 1]);
    socket.socket.close();
  });
});
