/** `/v1/runs`: data sets that are put to endpoints. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { parse } from "csv-parse/sync";
import { describe, expect, it, vi } from "vitest";
import { runStub } from "../../../src/runs/run-client.ts";
import { ADMIN_KEY, del, get, post, put } from "../../support/api.ts";
import { createCountingEndpoint } from "../../support/counted-chats.ts";
import { createChatbot, createEndpoint, unique } from "../../support/create.ts";

/** Makes a run and waits until it has ended. */
async function aRun(body: object) {
  const created = await post("/v1/runs", { name: unique("Run"), ...body });
  expect(created).toMatchObject({ status: 200 });
  return untilEnded(created.body.run.run_id);
}

async function untilEnded(id: string) {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { body } = await get(`/v1/runs/${id}`);
    if (body.run.status !== "running") return body.run;
    await scheduler.wait(50);
  }
  throw new Error("The run does not end");
}

async function objectIdOf(runId: string): Promise<string> {
  const row = env.DB.prepare("SELECT object_id AS objectId FROM runs WHERE id = ?").bind(runId);
  return (await row.first<{ objectId: string }>())?.objectId ?? "";
}

describe("a run", () => {
  it("puts every item to every endpoint, as often as asked, and counts what passes", async () => {
    const [echo, other] = [await createEndpoint(), await createEndpoint()];
    const items = [
      { prompt: "Paris", expect: { contains: "Par" } },
      { id: "two", turns: ["one", "two"], expect: { equals: "none" }, tags: ["hard"] },
      { input: "three", target: "thr" },
    ];
    const run = await aRun({ endpoints: [echo, other], items, repeat: 2, context_strategy: "chat_history" });
    expect(run).toMatchObject({ status: "completed", progress: { done: 16, of: 16, errors: 0 }, eta_seconds: null });
    expect(run.results[echo]).toMatchObject({
      ok: 8,
      errors: {},
      passed: 4,
      judged: 6,
      mean: 4 / 6,
      pass_at_k: { "1": 2 / 3, "2": 2 / 3 },
      pass_hat_k: { "1": 2 / 3, "2": 2 / 3 },
    });
    const { body } = await get(`/v1/runs/${run.run_id}/results?item=two&endpoint=${other}`);
    expect(body.total).toBe(4);
    expect(body.results).toMatchObject([
      { item_id: "two", repetition: 1, turn: 1, endpoint: other, status: "ok", pass: null, chat_record_id: 1 },
      { item_id: "two", repetition: 1, turn: 2, endpoint: other, status: "ok", pass: false, chat_record_id: 2 },
      { item_id: "two", repetition: 2, turn: 1 },
      { item_id: "two", repetition: 2, turn: 2 },
    ]);
    const [{ session_id: sessionId, chat_id: chatId }] = body.results;
    const session = await get(`/v1/sessions/${sessionId}?include_history=true`);
    expect(session.body.session.chat_history[chatId]).toMatchObject([{ prompt: "one" }, { prompt: "two" }]);
    const listed = await get(`/v1/sessions?run_id=${run.run_id}`);
    expect(listed.body).toHaveLength(6);
    expect((await get("/v1/sessions")).body).not.toContainEqual(expect.objectContaining({ session_id: sessionId }));
    expect((await get("/v1/runs")).body[0]).toMatchObject({ run_id: run.run_id, status: "completed" });
    expect((await del(`/v1/runs/${run.run_id}`)).body).toEqual({ success: true });
    expect((await get(`/v1/runs/${run.run_id}`)).status).toBe(404);
  });

  it("is paused and goes on, or is cancelled and goes on, and has every answer once", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 30 } });
    const items = Array.from({ length: 20 }, (_, index) => ({ prompt: `p${index}` }));
    const body = { name: unique("Run"), endpoints: [slow], items, concurrency: 2, order_seed: 7 };
    const { run_id: id } = (await post("/v1/runs", body)).body.run;
    for (const [command, status] of [
      ["pause", "paused"],
      ["resume", "running"],
      ["cancel", "cancelled"],
      ["pause", "cancelled"],
      ["resume", "running"],
    ]) {
      expect((await post(`/v1/runs/${id}/${command}`)).body).toEqual({ success: true });
      expect((await get(`/v1/runs/${id}`)).body.run.status).toBe(status);
    }
    const run = await untilEnded(id);
    expect(run).toMatchObject({ status: "completed", progress: { done: 20, of: 20, errors: 0 } });
    expect((await post(`/v1/runs/${id}/resume`)).body).toEqual({ success: true });
    expect((await get(`/v1/runs/${id}`)).body.run.status).toBe("completed");
    const { results } = (await get(`/v1/runs/${id}/results`)).body;
    expect(results.map(({ item_id: item }: { item_id: string }) => item)).toEqual(
      items.map((_, index) => `${index + 1}`),
    );
    expect(new Set(results.map((result: { session_id: string }) => result.session_id)).size).toBe(20);
  });

  it("that was paused or cancelled is listed and followed with the answers that were in flight then", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 600 } });
    const items = Array.from({ length: 40 }, (_, index) => ({ prompt: `p${index}` }));
    const listed = async (id: string) => {
      const { body } = await get("/v1/runs?limit=100");
      return body.find((run: { run_id: string }) => run.run_id === id);
    };
    for (const command of ["pause", "cancel"]) {
      const { body } = await post("/v1/runs", { name: unique("Run"), endpoints: [slow], items, concurrency: 4 });
      const { run_id: id } = body.run;
      while ((await get(`/v1/runs/${id}`)).body.run.progress.done === 0) await scheduler.wait(20);
      await scheduler.wait(200);
      await post(`/v1/runs/${id}/${command}`);
      const { done } = (await get(`/v1/runs/${id}`)).body.run.progress;
      const events: string = command === "cancel" ? (await get(`/v1/runs/${id}/events`)).body : "";
      await vi.waitFor(async () => expect((await listed(id)).progress.done).toBeGreaterThan(done), 10_000);
      const { progress } = (await get(`/v1/runs/${id}`)).body.run;
      expect(progress.done).toBeLessThanOrEqual(done + 4);
      await vi.waitFor(async () => expect((await listed(id)).progress).toEqual(progress), 10_000);
      if (command === "pause") continue;
      expect(events).toContain("event: run-ended");
      expect(events.split("event: run-ended")[0]).toContain(`"done":${progress.done},`);
    }
  });

  it("counts errors, which are not passed, and filters by them", async () => {
    const [failing, echo] = [await createEndpoint({ params: { fail: 500 } }), await createEndpoint()];
    const items = Array.from({ length: 3 }, (_, index) => ({ prompt: `${index}`, expect: { regex: "^[01]$" } }));
    const run = await aRun({ endpoints: [failing, echo], items, repeat: 2 });
    expect(run.progress).toEqual({ done: 12, of: 12, errors: 6 });
    expect(run.results[failing]).toMatchObject({ ok: 0, errors: { provider_error: 6 }, passed: 0, judged: 6, mean: 0 });
    expect(run.results[failing]).toMatchObject({ duration_ms: null, pass_at_k: { "1": 0, "2": 0 } });
    const list = async (query: string) => (await get(`/v1/runs/${run.run_id}/results${query}`)).body;
    expect((await list("?status=error&limit=4")).total).toBe(6);
    expect((await list("?status=error&limit=4&skip=4")).results).toHaveLength(2);
    expect(await list("?pass=true")).toMatchObject({ total: 4, results: [{ item_id: "1" }, {}, { item_id: "2" }, {}] });
    expect(await list(`?pass=false&endpoint=${echo}`)).toMatchObject({ total: 2, results: [{ item_id: "3" }, {}] });
    expect(await list(`?item=3&pass=false&endpoint=${echo}&skip=1`)).toMatchObject({ total: 2, results: [{}] });
    expect(await list("?item=none")).toEqual({ results: [], total: 0 });
    expect((await get(`/v1/runs/${run.run_id}/results?endpoint=other`)).status).toBe(404);
  });

  it("asks chatbots, whose greeting opens each conversation", async () => {
    const chatbot = `chatbot:${await createChatbot({ greeting: "Hello." })}`;
    const run = await aRun({ endpoints: [chatbot], items: [{ prompt: "a", expect: { equals: "a" } }], repeat: 2 });
    expect(run.results[chatbot]).toMatchObject({ ok: 2, passed: 2 });
    const { results } = (await get(`/v1/runs/${run.run_id}/results`)).body;
    const { session_id: sessionId, chat_id: chatId } = results[1];
    const { session } = (await get(`/v1/sessions/${sessionId}?include_history=true`)).body;
    expect(session.chat_history[chatId]).toMatchObject([{ conn_id: chatbot, prompt: "a", predicted_result: "a" }]);
    const events = await exports.default.fetch(
      new Request(`http://parley.test/v1/sessions/${sessionId}/events?after=0`, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      }),
    );
    const reader = events.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const { value: more } = (await reader?.read()) ?? {};
    await reader?.cancel();
    expect(new TextDecoder().decode(value) + new TextDecoder().decode(more)).toContain("Hello.");
  });

  it("asks again only for what failed, and replaces it", async () => {
    const [flaky, echo] = [await createEndpoint({ params: { fail: 500, fail_times: 99 } }), await createEndpoint()];
    const items = [{ prompt: "a", expect: { equals: "a" } }, { turns: ["b", "c"] }];
    const run = await aRun({ endpoints: [flaky, echo], items, repeat: 2 });
    expect(run).toMatchObject({ progress: { done: 12, of: 12, errors: 6 } });
    expect(run.results[flaky]).toMatchObject({ ok: 0, pass_at_k: { "1": 0 } });
    await put(`/v1/llm_endpoints/${flaky}`, { params: {} });
    const before = (await get(`/v1/runs/${run.run_id}/results?endpoint=${echo}`)).body;
    // Sessions use an endpoint as it was within two seconds.
    await scheduler.wait(2_100);
    expect((await post(`/v1/runs/${run.run_id}/retry_errors`)).body).toEqual({ success: true });
    const again = await untilEnded(run.run_id);
    expect(again).toMatchObject({ status: "completed", progress: { done: 12, of: 12, errors: 0 } });
    const passed = { ok: 6, errors: {}, judged: 2, passed: 2, pass_at_k: { "1": 1, "2": 1 }, pass_hat_k: { "2": 1 } };
    expect([again.results[flaky], again.results[echo]]).toMatchObject([passed, passed]);
    expect((await get(`/v1/runs/${run.run_id}/results?endpoint=${echo}`)).body).toEqual(before);
    expect((await get(`/v1/runs/${run.run_id}/results?status=error`)).body.total).toBe(0);
    expect((await get(`/v1/runs/${run.run_id}/results`)).body.total).toBe(12);
    // The endpoint that did not fail was not asked again.
    const sessions: { endpoints: string[] }[] = (await get(`/v1/sessions?run_id=${run.run_id}`)).body;
    expect(sessions.map(({ endpoints }) => endpoints.length).toSorted((a, b) => a - b)).toEqual([
      1, 1, 1, 1, 2, 2, 2, 2,
    ]);
  });

  it("shows what it was made with", async () => {
    const settings = { concurrency: 3, context_strategy: "chat_history", system_prompt: "Be brief.", order_seed: 7 };
    const fields = { name: unique("Run"), endpoints: [await createEndpoint()], items: [{ prompt: "Hi" }] };
    const created = await post("/v1/runs", { ...fields, ...settings });
    const shown = { ...settings, prompt_template: null };
    expect(created.body.run).toMatchObject(shown);
    expect((await get(`/v1/runs/${created.body.run.run_id}`)).body.run).toMatchObject(shown);
  });

  it("does not judge a reply that is too long for its expression, and says so", async () => {
    const endpoint = await createEndpoint();
    const items = [{ prompt: "a".repeat(90_000), expect: { regex: "(?:a?){450}b" } }];
    const run = await aRun({ endpoints: [endpoint], items });
    expect(run.results[endpoint]).toMatchObject({ ok: 1, judged: 1, passed: 0, errors: {} });
    const { results } = (await get(`/v1/runs/${run.run_id}/results`)).body;
    expect(results).toMatchObject([{ status: "ok", pass: false, error_code: "too_long_for_regex" }]);
  });

  it("has failed when nothing of it works for half an hour, and goes on when it is resumed", async () => {
    const items = Array.from({ length: 3 }, (_, index) => ({ prompt: `${index}` }));
    const slow = await createEndpoint({ params: { delay_ms: 300 } });
    const broken = (await post("/v1/runs", { name: unique("Run"), endpoints: [slow], items, concurrency: 1 })).body.run
      .run_id;
    await post(`/v1/runs/${broken}/pause`);
    const stub = env.RUNS.get(env.RUNS.idFromString(await objectIdOf(broken)));
    await scheduler.wait(700);
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("ALTER TABLE prompts RENAME TO prompts_away");
    });
    await post(`/v1/runs/${broken}/resume`);
    for (let wave = 0; wave < 40; wave++) await runDurableObjectAlarm(stub);
    expect((await get(`/v1/runs/${broken}`)).body.run.status).toBe("failed");
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("ALTER TABLE prompts_away RENAME TO prompts");
    });
    await post(`/v1/runs/${broken}/resume`);
    expect(await untilEnded(broken)).toMatchObject({ status: "completed", progress: { done: 3, of: 3, errors: 0 } });
  });

  it("asks nothing twice when it could not keep an answer", async () => {
    const counting = await createCountingEndpoint("count-4");
    const body = { name: unique("Run"), endpoints: [counting.id], items: [{ turns: ["a", "b"] }] };
    const { run_id: id } = (await post("/v1/runs", body)).body.run;
    const stub = env.RUNS.get(env.RUNS.idFromString(await objectIdOf(id)));
    const rename = (from: string, to: string) =>
      runInDurableObject(stub, (_, { storage }) => {
        storage.sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
      });
    await rename("answers", "answers_away");
    await vi.waitFor(async () => expect(await counting.bodies()).toHaveLength(1), 10_000);
    for (let wave = 0; wave < 3; wave++) await runDurableObjectAlarm(stub);
    await rename("answers_away", "answers");
    await runDurableObjectAlarm(stub);
    expect(await untilEnded(id)).toMatchObject({ status: "completed", progress: { done: 2, of: 2, errors: 0 } });
    expect(await counting.bodies()).toHaveLength(2);
  });

  it("is exported, and what is exported makes a run of the same items", async () => {
    const [failing, echo] = [await createEndpoint({ params: { fail: 429 } }), await createEndpoint()];
    const items = [
      { id: "a,b", prompt: 'say "<a&b>"', expect: { contains: "a", not_contains: "z" }, tags: ["x", "y"] },
      { turns: ["one", "two\u0000"], expect: { equals: "no" } },
    ];
    const run = await aRun({ endpoints: [failing, echo], items, repeat: 2 });
    const file = async (format: string) => (await get(`/v1/runs/${run.run_id}/export?format=${format}`)).body;
    const lines: string = await file("jsonl");
    const records = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toHaveLength(12);
    expect(records[1]).toMatchObject({
      ...items[0],
      turns: ['say "<a&b>"'],
      prompt: 'say "<a&b>"',
      pass: true,
      status: "ok",
    });
    expect(records[0]).toMatchObject({ status: "error", error_code: "rate_limited", pass: false, response: "" });
    const made = await send(`?name=Again&endpoints=${echo}`, "application/jsonl", lines);
    expect([made.status, made.body.run.progress.of]).toEqual([200, 3]);
    const again = await untilEnded(made.body.run.run_id);
    expect(again.results[echo]).toMatchObject({ ok: 3, judged: 2, passed: 1 });
    const rows = parse(await file("csv"), { columns: true, bom: true });
    expect(rows).toHaveLength(12);
    expect(rows[1]).toMatchObject({ item_id: "a,b", response: 'say "<a&b>"', pass: "true", tags: "x|y" });
    const junit: string = await file("junit");
    expect(junit.match(/<testsuite /g)).toHaveLength(4);
    expect(junit.match(/<error /g)).toHaveLength(6);
    expect(junit.match(/<failure /g)).toHaveLength(2);
    expect(junit).toContain("say &quot;&lt;a&amp;b&gt;&quot;");
    const { results } = await file("promptfoo");
    expect(results.stats).toMatchObject({ successes: 2, failures: 2, errors: 4 });
    const latencies = [0, 1].map((place) =>
      results.results
        .filter(({ promptIdx }: { promptIdx: number }) => promptIdx === place)
        .reduce((sum: number, { latencyMs }: { latencyMs: number }) => sum + latencyMs, 0),
    );
    const counts = [
      { testPassCount: 0, testFailCount: 0, testErrorCount: 4, totalLatencyMs: latencies[0] },
      { testPassCount: 2, testFailCount: 2, testErrorCount: 0, totalLatencyMs: latencies[1] },
    ];
    expect(results.prompts.map(({ metrics }: { metrics: object }) => metrics)).toMatchObject(counts);
    expect(results.results.map((one: Record<string, number>) => [one["promptIdx"], one["testIdx"]])).toEqual(
      [0, 1, 2, 3].flatMap((test) => [
        [0, test],
        [1, test],
      ]),
    );
  });

  it("counts its answers for pages as they come, also after pages were read", async () => {
    const [flaky, echo] = [await createEndpoint({ params: { fail: 500 } }), await createEndpoint()];
    const items = Array.from({ length: 12 }, (_, index) => ({ prompt: `${index}`, expect: { regex: "^[0-5]$" } }));
    const body = { name: unique("Run"), endpoints: [flaky, echo], items, concurrency: 1 };
    const { run_id: id } = (await post("/v1/runs", body)).body.run;
    const read = async (query: string) => (await get(`/v1/runs/${id}/results?${query}`)).body;
    for (let done = 0; done < 4; done = (await read("limit=1")).total) await scheduler.wait(5);
    await untilEnded(id);
    const { results } = await read("limit=1000");
    for (const query of ["", `endpoint=${echo}`, "status=error", "pass=true", `endpoint=${flaky}&pass=false`]) {
      const wanted = Object.entries(Object.fromEntries(new URLSearchParams(query)));
      const isWanted = (one: Record<string, string | boolean>) =>
        wanted.every(([name, value]) => `${one[name]}` === value);
      const listed = results.filter(isWanted);
      expect(await read(`limit=1000&${query}`)).toEqual({ results: listed, total: listed.length });
    }
    await put(`/v1/llm_endpoints/${flaky}`, { params: {} });
    await post(`/v1/runs/${id}/retry_errors`);
    await untilEnded(id);
    expect([(await read("status=error")).total, (await read("status=ok")).total]).toEqual([0, 24]);
  });

  it("goes on in another session when one of its sessions is deleted", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 150 } });
    const body = { name: unique("Run"), endpoints: [slow], items: [{ turns: ["a", "b", "c", "d"] }] };
    const { run_id: id } = (await post("/v1/runs", body)).body.run;
    let sessions: { session_id: string }[] = [];
    while (sessions.length === 0) {
      await scheduler.wait(20);
      sessions = (await get(`/v1/sessions?run_id=${id}`)).body;
    }
    await del(`/v1/sessions/${sessions[0]?.session_id}`);
    expect(await untilEnded(id)).toMatchObject({ status: "completed", progress: { done: 4, of: 4, errors: 0 } });
    const { results } = (await get(`/v1/runs/${id}/results`)).body;
    expect(results.map(({ turn, chat_record_id: record }: Record<string, number>) => [turn, record])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  it("that is being deleted does not go on, whoever resumes it at the same time", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 100 } });
    const body = { name: unique("Run"), endpoints: [slow], items: [{ prompt: "a" }, { prompt: "b" }], concurrency: 1 };
    const { run_id: id } = (await post("/v1/runs", body)).body.run;
    const stub = runStub(env, await objectIdOf(id));
    await stub.remove();
    await stub.changeStatus({ to: "running" });
    await stub.retryErrors();
    expect(await stub.read()).toBeNull();
  });

  it("sends its progress, and that it has ended", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 400 } });
    const { run_id: id } = (await post("/v1/runs", { name: "Run", endpoints: [slow], items: [{ turns: ["a", "b"] }] }))
      .body.run;
    const read = async () => (await get(`/v1/runs/${id}/events`)).body as string;
    const [whole, late] = [await read(), await read()];
    const events = [...whole.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, type, data = ""]) => [
      type,
      JSON.parse(data),
    ]);
    expect(events.map(([type]) => type)).toEqual(expect.arrayContaining(["run-progress", "run-ended"]));
    expect(events.at(0)?.[1]).toMatchObject({ type: "run-progress", progress: { of: 2 } });
    expect(events.at(-2)?.[1]).toMatchObject({ progress: { done: 2, of: 2, errors: 0 } });
    expect(events.at(-1)).toEqual(["run-ended", { type: "run-ended", status: "completed" }]);
    expect(late).toContain("event: run-ended");
  });

  it("sends its progress to 20 streams of a caller at once", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 30_000 } });
    const expectOpen = (answer: Response) => {
      expect(answer.status).toBe(200);
      return answer;
    };
    const { run_id: id } = (await post("/v1/runs", { name: "Run", endpoints: [slow], items: [{ prompt: "a" }] })).body
      .run;
    const open = async () =>
      exports.default.fetch(
        new Request(`http://parley.test/v1/runs/${id}/events`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } }),
      );
    const streams = await Promise.all(Array.from({ length: 20 }, open));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await get(`/v1/runs/${id}/events`)).toMatchObject({ status: 429, headers: expect.any(Headers) });
    // The place of who leaves is free at once, also while nothing happens.
    const leaving = streams.pop()?.body?.getReader();
    await leaving?.read();
    await post(`/v1/runs/${id}/pause`);
    // The event of the pause is the last write, and nothing waits for the reader.
    await leaving?.read();
    await leaving?.cancel();
    streams.push(await vi.waitFor(async () => expectOpen(await open()), 10_000));
    for (const { body } of streams) await body?.cancel();
    await post(`/v1/runs/${id}/cancel`);
  });
});

/** Sends a body as it is. */
async function send(query: string, contentType: string, body: string, headers = {}) {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test/v1/runs${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": contentType, ...headers },
      body,
    }),
  );
  return { status: answer.status, body: await answer.json<ReturnType<typeof JSON.parse>>(), headers: answer.headers };
}

describe("the items of a run", () => {
  it("may be JSON Lines or CSV, with the other fields in the query", async () => {
    const echo = await createEndpoint();
    const query = `?name=Lines&endpoints=${echo}&repeat=2`;
    const lines = '{"prompt":"a"}\n\n{"input":"b","target":"b"}';
    const table = '\uFEFFid,prompt,expect_contains,tags\r\nx,"a\nb",a,one|two\r\ny,c,,\r\n';
    for (const [type, text] of [
      ["application/jsonl", lines],
      ["text/csv; charset=utf-8", table],
    ] as const) {
      const { status, body } = await send(query, type, text);
      expect([status, body.run.progress]).toEqual([200, { done: 0, of: 4, errors: 0 }]);
      expect((await untilEnded(body.run.run_id)).results[echo]).toMatchObject({ ok: 4, judged: 2, passed: 2 });
    }
  });

  it.each([
    ["application/jsonl", '{"prompt":"a"}\n{"prompt":""}\n{x', [[2, "prompt"], [3]]],
    ["application/jsonl", '{"id":"a","prompt":"a"}\n\n{"id":"a","prompt":"a"}', [[3, "id"]]],
    ["application/jsonl", '{"prompt":"a","turns":["b"]}\n{"promt":"a"}', [[1], [2, "promt"], [2]]],
    ["application/jsonl", '{"prompt":"a","expect":{"regex":"(?=a)"}}', [[1, "expect", "regex"]]],
    ["application/jsonl", '{"prompt":"a","expect":{}}', [[1, "expect"]]],
    ["application/jsonl", "", [["items"]]],
    ["application/jsonl", "\n\r\n \n", [["items"]]],
    ["text/csv", "\n\r\n", [["items"]]],
    ["text/csv", 'prompt,expect_regex\n"a\nb",c\nd,(e', [[4, "expect", "regex"]]],
    ["text/csv", "prompt,expected\na,b", [[1]]],
    ["text/csv", "prompt\na,b\n", [[2]]],
  ])("are refused by their lines, and nothing is made: %s %j", async (type, text, places) => {
    const before = (await get("/v1/runs")).body.length;
    const { status, body } = await send(`?name=r&endpoints=${await createEndpoint()}`, type, text);
    expect(status).toBe(422);
    expect(body.error.map(({ loc }: { loc: unknown[] }) => loc)).toEqual(places.map((place) => ["body", ...place]));
    expect((await get("/v1/runs")).body).toHaveLength(before);
  });

  it.each([
    ["items twice", '"items":[{"prompt":"a"}],"items":[{"prompt":"b"}]', ["items"]],
    ["items that are no list before a list", '"items":"x","items":[{"prompt":"b"}]', ["items"]],
    ["an item that is nested too deep", `"items":[{"prompt":${"[".repeat(40)}${"]".repeat(40)}}]`, ["items", 0]],
    ["a field that is nested too deep", `"name":${"[".repeat(40)}${"]".repeat(40)}`, []],
    [
      "ids that are the same when stored",
      String.raw`"items":[{"id":"\ud800","prompt":"a"},{"id":"\ud801","prompt":"b"}]`,
      ["items", 1, "id"],
    ],
  ])("are refused with %s", async (_, fields, place) => {
    const { status, body } = await send("", "application/json", `{"name":"r","endpoints":["e"],${fields}}`);
    expect([status, body.error.map(({ loc }: { loc: unknown[] }) => loc)]).toEqual([422, [["body", ...place]]]);
  });

  it("are sent, kept and judged with the same text where it is not well-formed", async () => {
    const echo = await createEndpoint();
    const item = { id: "\ud800", prompt: "a\ud800b", expect: { equals: "a\ud800b" }, tags: ["\udc00"] };
    const run = await aRun({ endpoints: [echo], items: [item] });
    expect(run.results[echo]).toMatchObject({ ok: 1, judged: 1, passed: 1 });
    const exported = JSON.parse((await get(`/v1/runs/${run.run_id}/export`)).body);
    const kept = { id: "\ufffd", turns: ["a\ufffdb"], response: "a\ufffdb", tags: ["\ufffd"], pass: true };
    expect(exported).toMatchObject({ ...kept, expect: { equals: "a\ufffdb" } });
  });

  it.each([
    ["a prompt that is too long, and what follows", 100_001, [[2, "prompt"], [3]]],
    ["a row that is too long, without what follows", 500_001, [[2]]],
  ])("are refused with %s", async (_, length, places) => {
    const text = `prompt\n"${"a".repeat(length)}"\nb,c`;
    const { status, body } = await send(`?name=r&endpoints=${await createEndpoint()}`, "text/csv", text);
    expect([status, body.error.map(({ loc }: { loc: unknown[] }) => loc)]).toEqual([
      422,
      places.map((place) => ["body", ...place]),
    ]);
  });

  it("are refused without repeating a long name of a column", async () => {
    const text = `prompt,${"x".repeat(1_000_000)}\na,b\n`;
    const { status, body } = await send(`?name=r&endpoints=${await createEndpoint()}`, "text/csv", text);
    expect([status, body.error[0].msg.length < 400]).toEqual([422, true]);
  });

  it("are refused in JSON by their index", async () => {
    const endpoints = [await createEndpoint()];
    const refused = await post("/v1/runs", { name: "r", endpoints, items: [{ prompt: "a" }, { turns: ["a", " "] }] });
    expect(refused).toMatchObject({ status: 422, body: { error: [{ loc: ["body", "items", 1, "turns", 1] }] } });
    for (const fields of [{ items: [] }, {}, { items: "a" }, { items: [{ prompt: "a" }], repeat: 101 }])
      expect((await post("/v1/runs", { name: "r", endpoints, ...fields })).status).toBe(422);
    for (const items of [null, {}, "a"]) {
      const { body } = await post("/v1/runs", { name: "r", endpoints, items });
      expect(body.error).toEqual([{ type: "list_type", loc: ["body", "items"], msg: "must be a list of items" }]);
    }
    const twice = await post("/v1/runs", {
      name: "r",
      endpoints: [...endpoints, ...endpoints],
      items: [{ prompt: "a" }],
    });
    expect(twice.status).toBe(422);
    const many = { endpoints, items: Array.from({ length: 10_001 }, () => ({ prompt: "a" })) };
    expect(JSON.stringify(await post("/v1/runs", { name: "r", ...many }))).toContain("at most 10000 items");
    const large = { endpoints, repeat: 100, items: [{ turns: Array.from({ length: 1000 }, () => "a") }] };
    const items = Array.from({ length: 11 }, () => large.items[0]);
    expect(JSON.stringify(await post("/v1/runs", { name: "r", ...large, items }))).toContain("at most 1000000");
  });

  it("are taken as JSON, JSON Lines and CSV only, and up to 32 MiB", async () => {
    expect((await send("", "text/plain", "a")).status).toBe(415);
    const line = `{"prompt":"${"a".repeat(99_000)}"}\n`;
    expect((await send("?name=r&endpoints=e", "application/jsonl", line.repeat(340))).status).toBe(413);
  });

  it("make one run for one key", async () => {
    const endpoints = [await createEndpoint()];
    const headers = { "idempotency-key": unique("k").replaceAll(" ", "-") };
    const body = (prompt: string) => JSON.stringify({ name: "Keyed", endpoints, items: [{ prompt }] });
    const first = await send("", "application/json", body("a"), headers);
    const again = await send("", "application/json", body("a"), headers);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await send("", "application/json", body("b"), headers)).status).toBe(409);
  });
});
