/** Comparison sessions: create, read, prompt and delete. */
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, unique } from "../../support/create.ts";

const KEYS =
  "session_id name description created_epoch created_datetime chat_ids endpoints prompt_template context_strategy filename chat_history system_prompt".split(
    " ",
  );
const RECORD_KEYS =
  "chat_record_id conn_id context_strategy prompt_template prompt prepared_prompt predicted_result duration prompt_time".split(
    " ",
  );

describe("create", () => {
  it("answers 200 with the documented keys in order", async () => {
    const endpoints = [await createEndpoint(), await createEndpoint()];
    const { status, body } = await post("/v1/sessions", { name: "TestSession1", description: "Test 1", endpoints });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["session"]);
    const { session } = body;
    expect(Object.keys(session)).toEqual(KEYS);
    const stamp = session.created_datetime;
    expect(stamp).toMatch(/^\d{8}-\d{6}$/);
    expect(session).toMatchObject({
      name: "TestSession1",
      description: "Test 1",
      endpoints,
      filename: null,
      chat_history: null,
    });
    expect(session.session_id).toMatch(new RegExp(`^testsession1_${stamp}(-\\d+)?$`));
    expect(session.chat_ids).toEqual(endpoints.map((id) => `${id}_${stamp}`.replaceAll("-", "_")));
    expect(session.created_epoch).toBeCloseTo(Date.now() / 1000, -2);
  });

  it("numbers a name that is used within the second, and an endpoint that is used twice", async () => {
    const id = await createEndpoint();
    const name = unique("same");
    const answers = await Promise.all([1, 2, 3].map(() => post("/v1/sessions", { name, endpoints: [id, id, id] })));
    const sessions = answers.map(({ body }) => body.session);
    expect(new Set(sessions.map(({ session_id }) => session_id)).size).toBe(3);
    const [first] = sessions;
    expect(first.chat_ids.slice(1)).toEqual([`${first.chat_ids[0]}_2`, `${first.chat_ids[0]}_3`]);
  });

  it("reads null and an empty text as no template and no strategy", async () => {
    const session = await createComparison([await createEndpoint()], { prompt_template: "", context_strategy: null });
    expect(session).toMatchObject({ prompt_template: null, context_strategy: null, description: "" });
  });

  it.each([
    [{ endpoints: ["no-such-endpoint"] }, "no-such-endpoint"],
    [{ prompt_template: "no-such-template" }, "no-such-template"],
    [{ context_strategy: "no-such-strategy" }, "no-such-strategy"],
  ])("answers 404 to %j with its name, and creates nothing", async (fields, named) => {
    const name = unique("never");
    const { status, body } = await post("/v1/sessions", { name, endpoints: [await createEndpoint()], ...fields });
    expect(status).toBe(404);
    expect(body.detail).toContain(named);
    expect((await get("/v1/sessions")).body.map((session: { name: string }) => session.name)).not.toContain(name);
  });

  it.each([
    [
      {},
      [
        ["body", "name"],
        ["body", "endpoints"],
      ],
    ],
    [{ name: "x", endpoints: [] }, [["body", "endpoints"]]],
    [{ name: " ", endpoints: ["a"] }, [["body", "name"]]],
    [{ name: "x", endpoints: ["a", 5] }, [["body", "endpoints", 1]]],
    [{ name: "x", endpoints: Array.from({ length: 65 }, () => "a") }, [["body", "endpoints"]]],
    [{ name: "x".repeat(201), endpoints: ["a"] }, [["body", "name"]]],
    [{ name: "x", description: "x".repeat(1001), endpoints: ["a"] }, [["body", "description"]]],
  ])("answers 422 to %j", async (body, locs) => {
    const answer = await post("/v1/sessions", body);
    expect(answer.status).toBe(422);
    expect(answer.body.error.map(({ loc }: { loc: unknown }) => loc)).toEqual(locs);
  });

  it("answers 422 to a missing body, and to broken JSON", async () => {
    expect((await post("/v1/sessions")).status).toBe(422);
    expect((await post("/v1/sessions", "{")).status).toBe(422);
  });
});

describe("get and list", () => {
  it("has an empty history of every chat on request", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const { status, body } = await get(`/v1/sessions/${session.session_id}?include_history=true`);
    expect(status).toBe(200);
    expect(body.session).toEqual({
      ...session,
      chat_history: Object.fromEntries(session.chat_ids.map((id: string) => [id, []])),
    });
  });

  it("has no history by default", async () => {
    const session = await createComparison([await createEndpoint()]);
    expect((await get(`/v1/sessions/${session.session_id}`)).body.session).toEqual(session);
  });

  it.each([
    ...["1", "TRUE", "yes", "On", "t", "Y"].map((word) => [word, true]),
    ...["0", "false", "No", "off", "F", "n"].map((word) => [word, false]),
  ])("reads include_history=%s as %s", async (word, wanted) => {
    const session = await createComparison([await createEndpoint()]);
    const { body } = await get(`/v1/sessions/${session.session_id}?include_history=${String(word)}`);
    expect(body.session.chat_history !== null).toBe(wanted);
  });

  it("answers 422 to any other include_history, and 404 to an unknown session", async () => {
    const session = await createComparison([await createEndpoint()]);
    const { status, body } = await get(`/v1/sessions/${session.session_id}?include_history=maybe`);
    expect([status, body.error[0].loc]).toEqual([422, ["query", "include_history"]]);
    for (const id of ["nope", "nope_20240315-043147", "65f3a1b2c4d5e6f708192a3b"]) {
      const missing = await get(`/v1/sessions/${id}`);
      expect(missing.status).toBe(404);
      expect(missing.body).toEqual({ detail: expect.stringContaining("not found") });
    }
  });

  it("lists the newest first, as a bare array, in pages with a link to the next", async () => {
    const id = await createEndpoint();
    const [older, newer] = [await createComparison([id]), await createComparison([id])];
    const { body, headers } = await get("/v1/sessions?limit=1");
    expect(body).toEqual([newer]);
    expect(headers.get("link")).toBe('</v1/sessions?limit=1&skip=1>; rel="next"');
    expect((await get("/v1/sessions?limit=1&skip=1")).body).toEqual([older]);
    expect((await get("/v1/sessions/")).status).toBe(200);
    expect((await get("/v1/sessions?limit=1001")).body.error[0].loc).toEqual(["query", "limit"]);
  });

  it("keeps proxies from compressing", async () => {
    expect((await get("/v1/sessions")).headers.get("cache-control")).toBe("no-store, no-transform");
    expect((await get("/v1/sessions/nope")).headers.get("cache-control")).toBe("no-store, no-transform");
  });
});

describe("prompt", () => {
  it("answers the complete history of every chat, with the nine documented fields first", async () => {
    const endpoints = [await createEndpoint(), await createEndpoint()];
    const session = await createComparison(endpoints);
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hello World" });
    const { status, body } = await post(`/v1/sessions/${session.session_id}/prompt`, {
      prompt: "again",
      history_length: 3,
    });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(session.chat_ids);
    const records = body[session.chat_ids[1]];
    expect(Object.keys(records[0]).slice(0, 9)).toEqual(RECORD_KEYS);
    expect(records).toMatchObject([
      {
        chat_record_id: 1,
        conn_id: endpoints[1],
        context_strategy: "",
        prompt_template: "",
        prompt: "Hello World",
        prepared_prompt: "Hello World",
        predicted_result: "Hello World",
        duration: expect.stringMatching(/^\d+\.\d\d secs$/),
        prompt_time: expect.stringMatching(/^\d\d\/\d\d\/\d{4}, \d\d:\d\d:\d\d$/),
        status: "ok",
        error: null,
        partial_result: null,
        finish_reason: "stop",
        usage: { input_tokens: 2, output_tokens: 2 },
        attempts: 1,
      },
      { chat_record_id: 2, prompt: "again" },
    ]);
    const read = await get(`/v1/sessions/${session.session_id}?include_history=1`);
    expect(read.body.session.chat_history).toEqual(body);
  });

  it("is complete for the others when one endpoint fails, another times out and a third is gone", async () => {
    const [good, bad, slow, gone] = [
      await createEndpoint(),
      await createEndpoint({ params: { fail: 503 } }),
      await createEndpoint({ params: { fail: "timeout", timeout_ms: 60 } }),
      await createEndpoint(),
    ];
    const session = await createComparison([good, bad, slow, gone]);
    await del(`/v1/llm_endpoints/${gone}`);
    const { status, body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "hi" });
    expect(status).toBe(200);
    const outcomes = session.chat_ids.map((id: string) => [
      body[id][0].status,
      body[id][0].error?.code ?? null,
      body[id][0].predicted_result,
    ]);
    expect(outcomes).toEqual([
      ["ok", null, "hi"],
      ["error", "provider_overloaded", expect.stringContaining("503")],
      ["error", "provider_timeout", expect.stringContaining("60 ms")],
      ["error", "endpoint_missing", expect.stringContaining(gone)],
    ]);
  });

  it("answers only new records with Prefer: return=minimal", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint({ params: { fail: 503 } })]);
    const path = `/v1/sessions/${session.session_id}/prompt`;
    await post(path, { prompt: "one" });
    const minimal = { headers: { prefer: "return=minimal", "idempotency-key": "two" } };
    const { body, headers } = await post(path, { prompt: "two" }, minimal);
    await post(path, { prompt: "three" });
    for (const chatId of session.chat_ids)
      expect(body[chatId]).toMatchObject([{ chat_record_id: 2, prompt: "two", prepared_prompt: "two" }]);
    expect(headers.get("preference-applied")).toBe("return=minimal");
    expect((await post(path, { prompt: "two" }, minimal)).body).toEqual(body);
  });

  it.each([
    ["an empty prompt", { prompt: "" }],
    ["a prompt of blanks", { prompt: " \n " }],
    ["a prompt of other blanks", { prompt: "\u00a0\u2003\ufeff" }],
    ["a number", { prompt: 5 }],
    ["no prompt", {}],
    ["one character too many", { prompt: "x".repeat(100_001) }],
    ["one blank too many", { prompt: ` ${"x".repeat(100_000)}` }],
  ])("answers 422 to %s", async (_, body) => {
    const session = await createComparison([await createEndpoint()]);
    const answer = await post(`/v1/sessions/${session.session_id}/prompt`, body);
    expect([answer.status, answer.body.error.map(({ loc }: { loc: unknown }) => loc)]).toEqual([
      422,
      [["body", "prompt"]],
    ]);
    expect(
      (await get(`/v1/sessions/${session.session_id}?include_history=1`)).body.session.chat_history[
        session.chat_ids[0]
      ],
    ).toEqual([]);
  });

  it.each([
    ["an indented end", "  complete:\n\tline()\n    "],
    ["line ends", "\n\nno\r\n"],
    ["other blanks", "\u00a0\ufefftext\u3000"],
    ["the longest", ` ${"x".repeat(99_998)} `],
  ])("keeps and sends a prompt as it was given: %s", async (_, prompt) => {
    const session = await createComparison([await createEndpoint()]);
    const { status, body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt });
    expect(status).toBe(200);
    const whole = { prompt, prepared_prompt: prompt, predicted_result: prompt };
    expect(body[session.chat_ids[0]]).toMatchObject([whole]);
  });

  it("answers 404 for a session that does not exist", async () => {
    expect((await post("/v1/sessions/nope_20240315-043147/prompt", { prompt: "x" })).status).toBe(404);
  });
});

describe("templates and strategies", () => {
  it("run strategy first, then template, and name both in the record", async () => {
    const name = unique("template");
    expect(
      (await post("/v1/prompt_templates", { name, description: "d", template: "Q: {{ prompt }}\nA:" })).body,
    ).toEqual({ success: true });
    const session = await createComparison([await createEndpoint()], {
      prompt_template: name,
      context_strategy: "add_previous_prompt",
    });
    expect(session).toMatchObject({ prompt_template: name, context_strategy: "add_previous_prompt" });
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "one" });
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "two" });
    expect(body[session.chat_ids[0]][1]).toMatchObject({
      prepared_prompt: "Q: twoQ: one\nA:\n\nA:",
      predicted_result: "Q: twoQ: one\nA:\n\nA:",
      prompt_template: name,
      context_strategy: "add_previous_prompt",
    });
  });

  it("can be set and unset on a session", async () => {
    const name = unique("template");
    await post("/v1/prompt_templates", { name, template: "<{{ prompt }}>" });
    const { session_id: id, chat_ids } = await createComparison([await createEndpoint()]);
    const path = `/v1/sessions/${id}/prompt_templates/${encodeURIComponent(name)}`;
    expect((await put(path)).body).toEqual({ success: true });
    expect((await put(`/v1/sessions/${id}/context_strategies/chat_history`)).body).toEqual({ success: true });
    expect((await get(`/v1/sessions/${id}`)).body.session).toMatchObject({
      prompt_template: name,
      context_strategy: "chat_history",
    });
    expect((await post(`/v1/sessions/${id}/prompt`, { prompt: "x" })).body[chat_ids[0]][0].prepared_prompt).toBe("<x>");
    expect((await del(`/v1/prompt_templates/${encodeURIComponent(name)}`)).status).toBe(409);
    expect((await del(path)).body).toEqual({ success: true });
    expect((await del(path)).status).toBe(404);
    expect((await del(`/v1/sessions/${id}/context_strategies/chat_history`)).body).toEqual({ success: true });
    expect((await get(`/v1/sessions/${id}`)).body.session).toMatchObject({
      prompt_template: null,
      context_strategy: null,
    });
    expect((await post(`/v1/sessions/${id}/prompt`, { prompt: "y" })).body[chat_ids[0]][1]).toMatchObject({
      prepared_prompt: "y",
      prompt_template: "",
    });
    expect((await del(`/v1/prompt_templates/${encodeURIComponent(name)}`)).body).toEqual({ success: true });
    expect((await put(path)).status).toBe(404);
    expect((await put(`/v1/sessions/${id}/context_strategies/nope`)).status).toBe(404);
    expect((await put(`/v1/sessions/nope_20240315-043147/context_strategies/chat_history`)).status).toBe(404);
  });

  it("fail a reply whose prepared prompt is too long, and a shorter prompt succeeds", async () => {
    const name = unique("template");
    const template = "{{ prompt | replace('a', 'aaaaaaaaaa') | replace('a', 'aaaaaaaaaa') }}";
    expect((await post("/v1/prompt_templates", { name, template })).status).toBe(200);
    const { session_id: id, chat_ids } = await createComparison([await createEndpoint()], { prompt_template: name });
    const ask = (prompt: string) => post(`/v1/sessions/${id}/prompt`, { prompt });
    const [failed] = (await ask("a".repeat(100_000))).body[chat_ids[0]];
    expect(failed).toMatchObject({ status: "error", error: { code: "template_failed" }, attempts: 0 });
    expect((await ask("a")).body[chat_ids[0]][1].predicted_result).toBe("a".repeat(100));
  });

  it("are listed as bare arrays", async () => {
    const name = unique("template");
    await post("/v1/prompt_templates", { name, description: "d", template: "{{ prompt }}" });
    expect((await get("/v1/prompt_templates")).body).toContainEqual({
      name,
      description: "d",
      template: "{{ prompt }}",
    });
    expect((await post("/v1/prompt_templates", { name, template: "{{ prompt }}!" })).status).toBe(409);
    expect((await get("/v1/context_strategies")).body).toEqual(["add_previous_prompt", "chat_history"]);
  });

  it.each([
    "{% for x in range(9) %}{% endfor %}",
    "{{ range(5) }}",
    "{% macro m() %}{% endmacro %}",
    "{% set a = 1 %}",
    "{{ prompt",
    "{% include 'x' %}",
  ])("refuse %s with 422", async (template) => {
    const { status, body } = await post("/v1/prompt_templates", { name: unique("bad"), template });
    expect([status, body.error[0].loc]).toEqual([422, ["body", "template"]]);
  });
});

describe("delete", () => {
  it("removes the session", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    await post(`/v1/sessions/${id}/prompt`, { prompt: "x" });
    expect((await del(`/v1/sessions/${id}`)).body).toEqual({ success: true });
    for (const answer of [
      await get(`/v1/sessions/${id}`),
      await del(`/v1/sessions/${id}`),
      await post(`/v1/sessions/${id}/prompt`, { prompt: "x" }),
    ]) {
      expect(answer.status).toBe(404);
    }
  });
});
