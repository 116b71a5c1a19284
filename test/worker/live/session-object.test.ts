/** The session object: appends, replication to D1, alarms, storage and the order of turns. */
import {
  createScheduledController,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { del, get, post, put } from "../../support/api.ts";
import { replicatedMessages } from "../../support/faults.ts";
import { followEvents } from "../../support/follow.ts";
import { createChatbot, createComparison, createSession, createEndpoint } from "../../support/create.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** On a busy machine tests are slow, but they should not fail. */
const LONG_TIMEOUT = { timeout: 30_000 };

const objectOf = (id: string) => env.SESSIONS.getByName(id);
const appendMessage = (id: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });
const contents = (body: { data: { messages: { content: string }[] } }) =>
  body.data.messages.map(({ content }) => content);

describe("appends", () => {
  it("are all acknowledged once when 100 come at once, in one order for every reader", async () => {
    const id = await createSession();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => appendMessage(id, `m${n}`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const order = contents((await get(`/sessions/${id}`)).body);
    expect(order.toSorted()).toEqual(Array.from({ length: 100 }, (_, n) => `m${n}`).toSorted());
    // Each answer shows the log up to its own message.
    for (const { body } of answers) expect(contents(body)).toEqual(order.slice(0, contents(body).length));
    expect(new Set(answers.map(({ body }) => contents(body).length)).size).toBe(100);
    expect((await replicatedMessages(id)).map(({ content }) => content)).toEqual(order);
    await post(`/sessions/${id}/end`);
    expect(contents((await get(`/sessions/${id}`)).body)).toEqual(order);
  });

  it("that race with the end are either acknowledged and kept, or refused and absent", async () => {
    const id = await createSession();
    const appends = Array.from({ length: 40 }, (_, n) => appendMessage(id, `m${n}`));
    const [ended, ...answers] = await Promise.all([post(`/sessions/${id}/end`), ...appends]);
    expect(ended.status).toBe(200);
    const acknowledged = answers.flatMap(({ status }, n) => (status === 200 ? [`m${n}`] : []));
    expect(answers.every(({ status }) => status === 200 || status === 404)).toBe(true);
    expect(contents((await get(`/sessions/${id}`)).body).toSorted()).toEqual(acknowledged.toSorted());
  });

  it("are in the list when they are acknowledged", async () => {
    const id = await createSession({ title: "mirror" });
    for (let n = 1; n <= 3; n++) {
      await appendMessage(id, `m${n}`);
      expect(await replicatedMessages(id)).toHaveLength(n);
    }
  });

  it("share few writes to D1 while one is running", async () => {
    const id = await createSession();
    await appendMessage(id, "first");
    const batches = await runInDurableObject(objectOf(id), async () => {
      const spy = vi.spyOn(env.DB, "batch");
      await Promise.all(Array.from({ length: 50 }, (_, n) => appendMessage(id, `m${n}`)));
      const calls = spy.mock.calls.length;
      spy.mockRestore();
      return calls;
    });
    expect(await replicatedMessages(id)).toHaveLength(51);
    expect(batches).toBeLessThan(50);
  });

  it("survive the object's eviction, in order", async () => {
    const id = await createSession();
    for (const content of ["one", "two"]) await appendMessage(id, content);
    await evictDurableObject(objectOf(id));
    const { body } = await appendMessage(id, "three");
    expect(contents(body)).toEqual(["one", "two", "three"]);
  });
});

describe("a failing write to D1", () => {
  it("stops no append, and an alarm alone repairs it", async () => {
    const id = await createSession();
    await appendMessage(id, "before");
    vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("D1 is down"));
    expect((await appendMessage(id, "during")).status).toBe(200);
    expect(contents((await get(`/sessions/${id}`)).body)).toEqual(["before", "during"]);
    expect(await replicatedMessages(id)).toHaveLength(1);
    const alarm = await runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm());
    expect((alarm ?? Infinity) - Date.now()).toBeLessThan(5_000);
    expect(await runDurableObjectAlarm(objectOf(id))).toBe(true);
    expect((await replicatedMessages(id)).map(({ content }) => content)).toEqual(["before", "during"]);
  });

  it("keeps an ended session in its object until D1 has all of it", async () => {
    const id = await createSession();
    await appendMessage(id, "kept");
    vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("D1 is down"));
    expect((await post(`/sessions/${id}/end`)).status).toBe(200);
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
      status: "COMPLETED",
      messages: [{ content: "kept" }],
    });
    await runDurableObjectAlarm(objectOf(id));
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
      status: "COMPLETED",
      messages: [{ content: "kept" }],
    });
    expect(await isEmpty(id)).toBe(true);
  });
});

describe("the cron job", () => {
  it("repairs a session whose alarm was lost", async () => {
    const id = await createSession();
    await appendMessage(id, "replicated");
    vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("D1 is down"));
    await appendMessage(id, "left behind");
    await runInDurableObject(objectOf(id), (_, { storage }) => storage.deleteAlarm());
    await env.DB.prepare("update sessions set created_at = ?, updated_at = ? where id = ?")
      // Cron looks at periods of ten minutes that ended ten minutes ago.
      .bind(Date.now() - 1_400_000, Date.now() - 1_300_000, id)
      .run();
    expect(await replicatedMessages(id)).toHaveLength(1);
    await worker.scheduled(createScheduledController(), env);
    expect(await replicatedMessages(id)).toHaveLength(2);
  });
});

const isEmpty = (id: string) =>
  runInDurableObject(
    objectOf(id),
    async (_, state) => state.storage.sql.exec("select name from sqlite_schema").toArray().length === 0,
  );

describe("an interrupted removal", () => {
  it("hides the session at once, and is finished by an alarm", async () => {
    const id = await createSession();
    await appendMessage(id, "secret");
    // Both attempts of the call.
    const lost = new Error("D1_ERROR: Network connection lost.");
    vi.spyOn(env.DB, "batch").mockRejectedValueOnce(lost).mockRejectedValueOnce(lost);
    expect((await del(`/sessions/${id}`)).status).toBe(503);
    expect((await appendMessage(id, "more")).status).toBe(404);
    expect(await runDurableObjectAlarm(objectOf(id))).toBe(true);
    expect((await get(`/sessions/${id}`)).status).toBe(404);
    expect([await replicatedMessages(id), await isEmpty(id)]).toEqual([[], true]);
  });
});

describe("an object's storage", () => {
  it("is not touched by a create, and is emptied by an end", async () => {
    const id = await createSession();
    expect(await isEmpty(id)).toBe(true);
    await appendMessage(id, "one");
    expect(await isEmpty(id)).toBe(false);
    await post(`/sessions/${id}/end`);
    expect(await isEmpty(id)).toBe(true);
    await put(`/sessions/${id}`, { feedback: { rating: 1 } });
    expect(await isEmpty(id)).toBe(true);
  });

  it("stays empty for a session that does not exist", async () => {
    const id = "ffffffffffffffffffffffff";
    await appendMessage(id, "x");
    await get(`/sessions/${id}`);
    expect(await isEmpty(id)).toBe(true);
  });
});

describe("turns", () => {
  const createSlowChatbot = async (delay_ms: number) =>
    createChatbot({ endpointId: await createEndpoint({ params: { delay_ms } }) });

  it("run one at a time, in order of arrival", async () => {
    const id = await createSession({ chatbotId: await createSlowChatbot(20) });
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((content) => post(`/sessions/chat?sessionId=${id}`, { content })),
    );
    expect(answers.map(({ body }) => body.data.content)).toEqual(["a", "b", "c", "d"]);
    expect(contents((await get(`/sessions/${id}`)).body)).toEqual(["a", "a", "b", "b", "c", "c", "d", "d"]);
  });

  it("wait up to 16; one more is refused with 429 and leaves no message", async () => {
    const id = await createSession({ chatbotId: await createSlowChatbot(120) });
    const answers = await Promise.all(
      Array.from({ length: 18 }, (_, n) => post(`/sessions/chat?sessionId=${id}`, { content: `q${n}` })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(refused[0]?.body.error.code).toBe("turn_queue_full");
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(17);
    expect(contents((await get(`/sessions/${id}`)).body)).toHaveLength(34);
  });

  it("let a message in between, where it was appended", async () => {
    const id = await createSession({ chatbotId: await createSlowChatbot(1_500) });
    const chat = post(`/sessions/chat?sessionId=${id}`, { content: "question" });
    await vi.waitFor(
      async () => expect(contents((await get(`/sessions/${id}`)).body)).toEqual(["question"]),
      LONG_TIMEOUT,
    );
    await appendMessage(id, "meanwhile");
    expect((await chat).body.data.content).toBe("question");
    expect(contents((await get(`/sessions/${id}`)).body)).toEqual(["question", "meanwhile", "question"]);
  });

  it("are stopped by an end, which keeps the partial reply", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 50 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const words = Array.from({ length: 200 }, (_, n) => `w${n}`).join(" ");
    const chat = post(`/sessions/chat?sessionId=${id}`, { content: words });
    const waiting = post(`/sessions/chat?sessionId=${id}`, { content: "too late" });
    const follower = await followEvents(`/sessions/${id}/events`);
    await follower.next("reply-delta");
    expect((await post(`/sessions/${id}/end`)).status).toBe(200);
    const { status, body } = await chat;
    expect([status, body.data.finishReason]).toEqual([200, "cancelled"]);
    expect(words.startsWith(body.data.content) && body.data.content.length > 0).toBe(true);
    expect((await waiting).status).toBe(404);
    expect(contents((await get(`/sessions/${id}`)).body)).toEqual([words, body.data.content]);
  });

  it("that were interrupted are closed as such, and the session accepts the next prompt", async () => {
    const session = await createComparison([await createEndpoint()]);
    const [chatId] = session.chat_ids;
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "one" });
    await runInDurableObject(objectOf(session.session_id), (_, { storage }) => {
      const [row] = storage.sql.exec<{ state: string }>("select state from state").toArray();
      const state = JSON.parse(row?.state ?? "");
      const seq = state.session.lastSeq + 1;
      storage.sql.exec("insert into messages values (?, null, 'broken', 'user', 'two', 1, null, 1, null, null)", seq);
      const open = { ...state, turn: { turnId: "broken", chatIds: [chatId] } };
      storage.sql.exec("update state set state = ?", JSON.stringify(open));
    });
    await evictDurableObject(objectOf(session.session_id));
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "three" });
    expect(
      body[chatId].map(({ prompt, status, error }: Record<string, { code: string } | null>) => [
        prompt,
        status,
        error?.code,
      ]),
    ).toEqual([
      ["one", "ok", undefined],
      ["two", "error", "interrupted"],
      ["three", "ok", undefined],
    ]);
  });

  it("count the failures of an echo endpoint per chat", async () => {
    const failing = await createEndpoint({ params: { fail: 500, fail_times: 2 } });
    const session = await createComparison([failing, failing]);
    const statuses = [];
    for (let n = 0; n < 3; n++) {
      const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "x" });
      statuses.push(session.chat_ids.map((id: string) => body[id].at(-1).status));
    }
    expect(statuses).toEqual([
      ["error", "error"],
      ["error", "error"],
      ["ok", "ok"],
    ]);
  });
});
