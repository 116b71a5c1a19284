/** What the guide on guarantees promises: D1 down, objects that crash, disconnects, removals and large sessions. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { Log } from "../../../src/live/log/log.ts";
import { del, get, post, put } from "../../support/api.ts";
import { replicatedContents, crash, breakD1, loseNextD1Answer, rejectInD1, runAlarms } from "../../support/faults.ts";
import { connect, followEvents } from "../../support/follow.ts";
import { fillLog } from "../../support/long-log.ts";
import { createChatbot, createComparison, createSession, createEndpoint, unique } from "../../support/create.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const objectOf = (id: string) => env.SESSIONS.getByName(id);
const appendMessage = (id: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });
const chat = (id: string, content: string) => post(`/sessions/chat?sessionId=${id}`, { content });
const contents = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}`)).body.data.messages.map(({ content }: { content: string }) => content);

describe("while D1 is down", () => {
  it("appends, chats and reads go on, and an alarm alone brings D1 up to date, in order", async () => {
    const id = await createSession({ title: "through the storm" });
    await appendMessage(id, "before");
    const repairD1 = breakD1();
    for (const content of ["one", "two"]) expect((await appendMessage(id, content)).status).toBe(200);
    expect((await chat(id, "three")).body.data.content).toBe("three");
    const read = await get(`/sessions/${id}`);
    expect(read.status).toBe(200);
    expect(read.body.data.chatbotId.name).toMatch(/^chatbot/);
    expect(await contents(id)).toEqual(["before", "one", "two", "three", "three"]);
    expect((await get(`/sessions/${id}/messages?after=3`)).body.data.messages).toHaveLength(2);
    await evictDurableObject(objectOf(id));
    expect((await chat(id, "four")).status).toBe(200);
    repairD1();
    expect(await replicatedContents(id)).toEqual(["before"]);
    await runAlarms(id, 1);
    expect(await replicatedContents(id)).toEqual(await contents(id));
    const { data } = (await get("/sessions?searchString=through%20the%20storm")).body;
    expect(data.results[0]).toMatchObject({ messageCount: 7 });
  });

  it("a prompt goes to its endpoints with their cached settings", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const path = `/v1/sessions/${session.session_id}`;
    await post(`${path}/prompt`, { prompt: "before" });
    const repairD1 = breakD1();
    const { status, body } = await post(`${path}/prompt`, { prompt: "during" });
    expect(status).toBe(200);
    expect(body[session.chat_ids[1]].at(-1)).toMatchObject({ prompt: "during", status: "ok" });
    repairD1();
  });

  it("a session ends in its object, which keeps the log until D1 has all of it", async () => {
    const id = await createSession();
    await appendMessage(id, "kept");
    const repairD1 = breakD1();
    expect((await post(`/sessions/${id}/end`)).body.data.status).toBe("COMPLETED");
    expect((await appendMessage(id, "late")).status).toBe(404);
    expect(await contents(id)).toEqual(["kept"]);
    repairD1();
    await runAlarms(id);
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
      status: "COMPLETED",
      messages: [{ content: "kept" }],
    });
    expect(await isStorageEmpty(id)).toBe(true);
  });

  it("failed alarms are repeated with longer pauses, without end", async () => {
    const id = await createSession();
    await appendMessage(id, "before");
    const repairD1 = breakD1();
    await appendMessage(id, "during");
    const pauses: number[] = [];
    for (let n = 0; n < 8; n++) {
      const alarm = await runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm());
      pauses.push((alarm ?? Infinity) - Date.now());
      await runAlarms(id, 1);
    }
    expect(Math.max(...pauses)).toBeLessThan(61_000);
    expect(pauses.at(-1)).toBeGreaterThan(10 * (pauses[0] ?? Infinity));
    repairD1();
    await runAlarms(id, 1);
    expect(await replicatedContents(id)).toEqual(["before", "during"]);
  });
});

describe("other failures of D1", () => {
  it("that lose the answer to a batch duplicate no message", async () => {
    const id = await createSession();
    await appendMessage(id, "first");
    loseNextD1Answer();
    await appendMessage(id, "second");
    await appendMessage(id, "third");
    await runAlarms(id);
    expect(await replicatedContents(id)).toEqual(["first", "second", "third"]);
    const { data } = (await get(`/sessions?clientId=${(await get(`/sessions/${id}`)).body.data.clientId.id}`)).body;
    expect(data.results[0].messageCount).toBe(3);
  });

  it("that reject one message make it a dead letter, which an admin can see, and block no other", async () => {
    await rejectInD1("hemlock");
    const id = await createSession();
    for (const content of ["before", "hemlock", "after"]) await appendMessage(id, content);
    await runAlarms(id, 6);
    expect(await replicatedContents(id)).toEqual(["before", "after"]);
    expect(await contents(id)).toEqual(["before", "hemlock", "after"]);
    const { body } = await get("/healthz?deep=1");
    expect(body).toMatchObject({ status: "degraded", database: { reachable: true } });
    expect(body.parked).toMatchObject([{ sessionId: id, seq: 2 }]);
    await post(`/sessions/${id}/end`);
    expect(await contents(id)).toEqual(["before", "hemlock", "after"]);
    await del(`/sessions/${id}`);
    expect((await get("/healthz?deep=1")).body.parked).toEqual([]);
  });

  it("that pass make no dead letter", async () => {
    const id = await createSession();
    await appendMessage(id, "before");
    const batch = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: D1 DB is overloaded."));
    await appendMessage(id, "during");
    // All other D1 queries succeed meanwhile.
    await runAlarms(id, 6);
    batch.mockRestore();
    await runAlarms(id, 1);
    expect(await replicatedContents(id)).toEqual(["before", "during"]);
    expect((await get("/healthz?deep=1")).body.parked).toEqual([]);
  });

  it("are shown to admins only", async () => {
    expect((await get("/healthz?deep=1", { token: null })).status).toBe(401);
    const { key } = (await post("/keys", { name: "s", role: "service" })).body.data;
    expect((await get("/healthz?deep=1", { token: key })).status).toBe(403);
    const repairD1 = breakD1();
    expect((await get("/healthz?deep=1")).body).toMatchObject({ status: "degraded", database: { reachable: false } });
    repairD1();
  });
});

describe("an object that crashes", () => {
  it("has every message that it acknowledged, in order", async () => {
    const id = await createSession();
    for (let n = 1; n <= 5; n++) {
      await appendMessage(id, `m${n}`);
      await crash(id);
    }
    expect(await contents(id)).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    expect((await get(`/sessions/${id}`)).body.data.updatedAt).toBeTruthy();
  });

  it("during a comparison keeps the finished replies, and closes the others as interrupted", async () => {
    const session = await createComparison([
      await createEndpoint(),
      await createEndpoint({ params: { tokens_per_second: 5 } }),
    ]);
    const path = `/v1/sessions/${session.session_id}`;
    const reader = await followEvents(`${path}/events`);
    const prompt = post(`${path}/prompt`, { prompt: "one two three four five six" }).catch(() => undefined);
    await reader.next("reply-end");
    await crash(session.session_id);
    await prompt;
    const { body } = await post(`${path}/prompt`, { prompt: "next" });
    const outcomes = session.chat_ids.map((chatId: string) =>
      body[chatId].map(({ status, error }: RecordOutcome) => error?.code ?? status),
    );
    expect(outcomes).toEqual([
      ["ok", "ok"],
      ["interrupted", "ok"],
    ]);
  });

  it("during a comparison leaves of a reply what is known, and nothing that is not measured", async () => {
    const name = unique("template");
    await post("/v1/prompt_templates", { name, description: "", template: "Say: {{ prompt }}" });
    const prices = { input_per_million: 1, output_per_million: 1 };
    const endpointId = await createEndpoint({ params: { tokens_per_second: 5 }, prices });
    const session = await createComparison([endpointId], { prompt_template: name });
    const path = `/v1/sessions/${session.session_id}`;
    const reader = await followEvents(`${path}/events`);
    const prompt = post(`${path}/prompt`, { prompt: "one two three" }).catch(() => undefined);
    await reader.next("reply-delta");
    // What is set meanwhile is not what the prompt was sent with.
    await del(`${path}/prompt_templates/${encodeURIComponent(name)}`);
    await put(`${path}/context_strategies/chat_history`);
    await crash(session.session_id);
    await prompt;
    const { body } = await get(`${path}?include_history=true`);
    expect(body.session.chat_history[session.chat_ids[0]]).toEqual([
      expect.objectContaining({
        status: "error",
        finish_reason: "interrupted",
        attempts: 1,
        conn_id: endpointId,
        prepared_prompt: "Say: one two three",
        prompt_template: name,
        context_strategy: "",
        duration: "",
        duration_ms: null,
        queue_ms: null,
        ttft_ms: null,
        usage: null,
      }),
    ]);
    const { body: statistics } = await get(`${path}/stats`);
    const { errors, duration_ms: times, cost, priced } = statistics.chats[0];
    expect([errors, times, cost, priced]).toEqual([{ interrupted: 1 }, null, null, 0]);
  });

  it("during a chat knows the endpoint, and no time", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 5 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const reader = await followEvents(`/sessions/${id}/events`);
    const answer = chat(id, "one two three").catch(() => undefined);
    await reader.next("reply-delta");
    await crash(id);
    await answer;
    const { body } = await get(`/sessions/${id}/export?format=jsonl`);
    const [line] = (typeof body === "string" ? body : JSON.stringify(body)).trim().split("\n");
    expect(JSON.parse(line ?? "")).toMatchObject({
      finishReason: "interrupted",
      prompt: "one two three",
      endpointId,
      durationMs: null,
      queueMs: null,
    });
  });

  it("at any moment between calls loses no acknowledged message, and duplicates none", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("append", "crash", "evict", "chat"), { maxLength: 8 }),
        async (steps) => {
          const id = await createSession();
          const acknowledged: string[] = [];
          for (const [n, step] of steps.entries()) {
            if (step === "append" && (await appendMessage(id, `m${n}`)).status === 200) acknowledged.push(`m${n}`);
            if (step === "chat" && (await chat(id, `c${n}`)).status === 200) acknowledged.push(`c${n}`, `c${n}`);
            if (step === "crash") await crash(id);
            if (step === "evict") await evictDurableObject(objectOf(id)).catch(() => "it was not there");
          }
          expect(await contents(id)).toEqual(acknowledged);
          await runAlarms(id, 1);
          expect(await replicatedContents(id)).toEqual(acknowledged);
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe("an object that crashes at the worst moment", () => {
  const crashDuringBatch = (id: string, when: "before" | "after") => {
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      if (when === "after") await batch(statements);
      await crash(id);
      throw new Error("D1_ERROR: Network connection lost.");
    });
  };

  it.each(["before", "after"] as const)("%s D1 has accepted a message: the message is there, once", async (when) => {
    const id = await createSession();
    await appendMessage(id, "first");
    crashDuringBatch(id, when);
    await appendMessage(id, "second").catch(() => undefined);
    vi.restoreAllMocks();
    await appendMessage(id, "third");
    expect(await contents(id)).toEqual(["first", "second", "third"]);
    await runAlarms(id);
    expect(await replicatedContents(id)).toEqual(["first", "second", "third"]);
  });

  it.each(["before", "after"] as const)(
    "%s D1 has accepted an end: the session has ended, or can be ended again",
    async (when) => {
      const id = await createSession();
      await appendMessage(id, "kept");
      crashDuringBatch(id, when);
      await post(`/sessions/${id}/end`).catch(() => undefined);
      vi.restoreAllMocks();
      await runAlarms(id);
      expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
        status: "COMPLETED",
        messages: [{ content: "kept" }],
      });
      expect(await replicatedContents(id)).toEqual(["kept"]);
    },
  );
});

describe("others that disconnect", () => {
  it("a provider that breaks off leaves its partial reply, and the session accepts the next prompt", async () => {
    const endpointId = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${inject("upstream")}/openai/hello.reset`,
    });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const { status, body } = await chat(id, "hello");
    expect([status, body.error.code]).toEqual([502, "connection_lost"]);
    const [asked, partial] = (await get(`/sessions/${id}`)).body.data.messages;
    expect(asked.content).toBe("hello");
    expect(partial).toMatchObject({ role: "assistant", finishReason: "error" });
    expect((await chat(id, "again")).status).toBe(502);
    expect((await appendMessage(id, "still here")).status).toBe(200);
  });

  it("a caller who leaves stops nothing: the complete turn is in the log", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 30 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "one two three four five six" });
    await reader.next("reply-delta");
    await reader.cut();
    const later = await followEvents(`/sessions/${id}/events?after=0`);
    await later.next("turn-ended");
    expect(await contents(id)).toEqual(["one two three four five six", "one two three four five six"]);
  });
});

describe("changes in both the object and D1", () => {
  it("reopening loads the log with its numbers, and continues after them", async () => {
    const id = await createSession();
    for (const content of ["one", "two"]) await appendMessage(id, content);
    await post(`/sessions/${id}/end`);
    expect(await isStorageEmpty(id)).toBe(true);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    await appendMessage(id, "three");
    const { messages } = (await get(`/sessions/${id}/messages`)).body.data;
    expect(messages.map(({ seq, content }: { seq: number; content: string }) => [seq, content])).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
  });

  it("an interrupted removal hides the session at once, and an alarm finishes it", async () => {
    const id = await createSession();
    await post(
      `/sessions/message?sessionId=${id}`,
      { message: { role: "user", content: "gone" } },
      { headers: { "idempotency-key": "k" } },
    );
    const repairD1 = breakD1();
    expect((await del(`/sessions/${id}`)).status).toBe(503);
    expect((await appendMessage(id, "more")).status).toBe(404);
    repairD1();
    // D1 still has the session and answers again, but nobody may see it.
    const key = { headers: { "idempotency-key": "k" } };
    const again = await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "gone" } }, key);
    const shown = await Promise.all(
      ["", "/messages", "/events"].map(async (path) => (await get(`/sessions/${id}${path}`)).status),
    );
    expect([again.status, ...shown]).toEqual([404, 404, 404, 404]);
    await runAlarms(id);
    expect((await get(`/sessions/${id}`)).status).toBe(404);
    expect(await replicatedContents(id)).toEqual([]);
    expect(await isStorageEmpty(id)).toBe(true);
  });

  it("a removal reaches D1 after the messages that are on their way", async () => {
    const id = await createSession();
    const batch = env.DB.batch.bind(env.DB);
    const arrived: string[] = [];
    vi.spyOn(env.DB, "batch")
      .mockImplementationOnce(async (statements) => {
        await scheduler.wait(100);
        arrived.push("message");
        return batch(statements);
      })
      .mockImplementationOnce((statements) => {
        arrived.push("removal");
        return batch(statements);
      });
    const appending = appendMessage(id, "last words");
    await scheduler.wait(30);
    expect((await del(`/sessions/${id}`)).status).toBe(200);
    await appending;
    expect(arrived).toEqual(["message", "removal"]);
    expect(await replicatedContents(id)).toEqual([]);
  });

  it("a scheduled start comes by alarm, can be rescheduled, and can be cancelled", async () => {
    const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
    const id = await createSession({ startTime: inMs(3_600_000) });
    const alarm = () => runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm());
    expect((await appendMessage(id, "early")).status).toBe(404);
    await put(`/sessions/${id}`, { startTime: inMs(60) });
    await scheduler.wait(20);
    expect(((await alarm()) ?? Infinity) - Date.now()).toBeLessThan(100);
    await scheduler.wait(150);
    await runAlarms(id, 1);
    const { body } = await get(`/sessions?clientId=${(await get(`/sessions/${id}`)).body.data.clientId.id}`);
    expect(body.data.results[0].status).toBe("ACTIVE");
    const off = await createSession({ startTime: inMs(3_600_000) });
    expect((await put(`/sessions/${off}`, { status: "TERMINATED" })).body.data.status).toBe("TERMINATED");
    expect((await appendMessage(off, "no")).status).toBe(404);
  });
});

describe("large sessions", () => {
  it("are not read when their log is not needed, whether they are active or have ended", async () => {
    const minimal = { headers: { prefer: "return=minimal" } };
    const talked = await createSession();
    await appendMessage(talked, "long ago");
    const { session_id: comparison } = await createComparison([await createEndpoint()]);
    await post(`/v1/sessions/${comparison}/prompt`, { prompt: "Hi" });
    await put(`/v1/sessions/${comparison}/context_strategies/chat_history`);
    const read = async () => {
      const inObject = vi.spyOn(Log.prototype, "messages");
      const asked = vi.spyOn(env.DB, "prepare");
      expect((await get(`/sessions/${talked}`, minimal)).body.data.messages).toEqual([]);
      expect((await get(`/v1/sessions/${comparison}`)).body.session.chat_history).toBeNull();
      expect((await del(`/v1/sessions/${comparison}/context_strategies/add_previous_prompt`)).status).toBe(404);
      const inIndex = asked.mock.calls.filter(([sql]) => /from .?messages/i.test(sql)).length;
      const times = inObject.mock.calls.length + inIndex;
      vi.restoreAllMocks();
      return times;
    };
    expect(await read()).toBe(0);
    await post(`/sessions/${talked}/end`);
    expect(await read()).toBe(0);
    expect((await get(`/sessions/${talked}`)).body.data.messages).toHaveLength(1);
  });

  it("accept messages of 100,000 characters, and page through thousands", async () => {
    const id = await createSession({ chatbotId: await createChatbot() });
    const huge = "ü".repeat(100_000);
    expect(
      (
        await post(
          `/sessions/message?sessionId=${id}`,
          { message: { role: "user", content: huge } },
          { headers: { prefer: "return=minimal" } },
        )
      ).body.data.messages,
    ).toHaveLength(1);
    await fillLog(id, 2, 10_000, "'m' || i");
    await post(`/sessions/${id}/end`);
    const page = (await get(`/sessions/${id}/messages?after=9990&limit=1000`)).body.data;
    expect(page.messages).toHaveLength(10);
    await put(`/sessions/${id}`, { status: "ACTIVE" }, { headers: { prefer: "return=minimal" } });
    const appended = await post(
      `/sessions/message?sessionId=${id}`,
      { message: { role: "user", content: "last" } },
      { headers: { prefer: "return=minimal" } },
    );
    expect(appended.body.data.messages).toHaveLength(1);
    const reader = await followEvents(`/sessions/${id}/events?after=0`);
    await reader.next("message-appended", 10_001);
    expect(reader.ids.at(-1)).toBe("10001");
    const client = await connect(`/sessions/${id}/ws?after=0`);
    await appendMessage(id, "meanwhile");
    await client.next("message-appended", 10_002);
    const seqs = client.events.filter(({ type }) => type === "message-appended").map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 10_002 }, (_, n) => n + 1));
  }, 120_000);
});

describe("a session that is larger than what is read and shown at once", () => {
  it("is read, changed, paged and ended like any other, while active and after", async () => {
    const id = await createSession();
    await fillLog(id, 1, 90, "i || ?4", "x".repeat(100_000));
    const newest = async () => {
      const { messages, truncated } = (await get(`/sessions/${id}`)).body.data;
      const inOrder = messages.every(({ content }: { content: string }, n: number) => content.startsWith(`${n + 52}x`));
      return [messages.length, inOrder, truncated];
    };
    const walk = async () => {
      const seqs: number[] = [];
      for (let after: number | undefined = 0; after !== undefined;) {
        const { data }: { data: { messages: { seq: number }[]; nextAfter?: number } } = (
          await get(`/sessions/${id}/messages?limit=1000&after=${after}`)
        ).body;
        expect(data.messages.length).toBeLessThan(50);
        seqs.push(...data.messages.map(({ seq }) => seq));
        after = data.nextAfter;
      }
      return seqs;
    };
    expect((await appendMessage(id, `91${"x".repeat(90_000)}`)).body.data.messages).toHaveLength(40);
    expect(await newest()).toEqual([40, true, true]);
    const seqs = Array.from({ length: 91 }, (_, n) => n + 1);
    expect(await walk()).toEqual(seqs);
    expect((await put(`/sessions/${id}`, { title: "big" })).body.data.messages).toHaveLength(40);
    expect((await post(`/sessions/${id}/end`)).body.data.messages).toHaveLength(40);
    expect(await newest()).toEqual([40, true, true]);
    expect(await walk()).toEqual(seqs);
    expect((await put(`/sessions/${id}`, { title: "still big" })).body.data.messages).toHaveLength(40);
    expect((await put(`/sessions/${id}`, { status: "ACTIVE" })).body.data.messages).toHaveLength(40);
  }, 120_000);
});

interface RecordOutcome {
  status: string;
  error: { code: string } | null;
}

const isStorageEmpty = (id: string) =>
  runInDurableObject(
    objectOf(id),
    (_, { storage }) =>
      storage.sql.exec("select name from sqlite_schema where name not like '\\_cf\\_%' escape '\\'").toArray()
        .length === 0,
  );
