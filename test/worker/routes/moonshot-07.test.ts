/**
 * Moonshot 0.7: the calls of its web UI 0.7.4, in the order in which its pages make them, and the shapes that its own
 * server answers. The bodies are written here, after what that UI sends; nothing of the UI runs.
 */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ADMIN_KEY, call, del, get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, unique } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const SESSION_KEYS = [
  "session_id",
  "description",
  "endpoints",
  "created_epoch",
  "created_datetime",
  "prompt_template",
  "context_strategy",
  "cs_num_of_prev_prompts",
  "attack_module",
  "metric",
  "system_prompt",
];

const RECORD_KEYS = [
  "chat_record_id",
  "conn_id",
  "context_strategy",
  "prompt_template",
  "attack_module",
  "metric",
  "prompt",
  "prepared_prompt",
  "system_prompt",
  "predicted_result",
  "duration",
  "prompt_time",
];

/** As the UI creates it. */
async function createSession(endpoints: string[], fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await post("/api/v1/sessions", { name: unique("s"), description: "", endpoints, ...fields });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.session.session_id;
}

const promptIn = async (id: string, text: string) =>
  (await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: text })).body;

const recordsOf = async (id: string) => (await get(`/api/v1/sessions/${id}?include_history=true`)).body.chat_records;

/** A call without a token, as the UI makes them. */
const anonymously = { token: null };

async function createTemplate(template: string): Promise<string> {
  const name = `t-${crypto.randomUUID()}`;
  await post("/v1/prompt_templates", { name, description: "d", template });
  return name;
}

describe("the web UI of Moonshot 0.7", () => {
  it("runs a session on three models, one of which fails, without a token", async () => {
    setVariables({ ANONYMOUS_ROLE: "service" });
    const [one, two] = [await createEndpoint(), await createEndpoint()];
    const failing = await createEndpoint({ params: { fail: 500 } });
    const listed = await get("/api/v1/llm-endpoints", anonymously);
    expect(listed.body.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining([one, two, failing]));
    const created = await post(
      "/api/v1/sessions",
      { name: "Three models", description: "d", endpoints: [one, two, failing], attack_module: undefined },
      anonymously,
    );
    expect(Object.keys(created.body)).toEqual(["session_name", "session_description", "session", "chat_records"]);
    expect(created.body).toMatchObject({ session_name: "Three models", session_description: "d", chat_records: null });
    const { session } = created.body;
    expect(Object.keys(session)).toEqual(SESSION_KEYS);
    expect(session).toMatchObject({
      endpoints: [one, two, failing],
      created_epoch: expect.stringMatching(/^\d+\.\d+$/),
      created_datetime: expect.stringMatching(/^\d{8}-\d{6}$/),
      prompt_template: "",
      context_strategy: "",
      cs_num_of_prev_prompts: 5,
      attack_module: "",
      metric: "",
      system_prompt: "",
    });
    const id = session.session_id;
    expect((await get(`/api/v1/sessions/${id}?include_history=true`, anonymously)).body.chat_records).toEqual({
      [one]: [],
      [two]: [],
      [failing]: [],
    });
    const prompted = await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Hello" }, anonymously);
    expect(prompted.body).toMatchObject({ current_runner_id: id, current_batch_size: 5, current_status: "COMPLETED" });
    expect(Object.keys(prompted.body.current_chats)).toEqual([one, two, failing]);
    const [record] = prompted.body.current_chats[one];
    expect(Object.keys(record)).toEqual(RECORD_KEYS);
    expect(record).toMatchObject({
      chat_record_id: 1,
      conn_id: one,
      prompt: "Hello",
      prepared_prompt: "Hello",
      predicted_result: "Hello",
      duration: expect.stringMatching(/^\d+(\.\d+)?$/),
      prompt_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}000$/),
    });
    expect(prompted.body.current_chats[failing][0].predicted_result).toMatch(/^\[provider_error\] /);
    expect((await get(`/api/v1/sessions/${id}/close`, anonymously)).body).toEqual({ success: true });
    expect((await recordsOf(id))[two]).toHaveLength(1);
  });

  it("gets only the new records from a prompt, and all of them with the session", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint]);
    await promptIn(id, "first");
    const { current_chats: chats } = await promptIn(id, "second");
    expect(chats[endpoint].map((record: { prompt: string }) => record.prompt)).toEqual(["second"]);
    expect((await recordsOf(id))[endpoint].map((record: { prompt: string }) => record.prompt)).toEqual([
      "first",
      "second",
    ]);
  });

  it("has two sessions open at once", async () => {
    const endpoint = await createEndpoint({ params: { delay_ms: 30 } });
    const ids = [await createSession([endpoint]), await createSession([endpoint])];
    await Promise.all(ids.map((id) => get(`/api/v1/sessions/${id}?include_history=true`)));
    const answers = await Promise.all(ids.map((id) => promptIn(id, `to ${id}`)));
    expect(answers.map(({ current_runner_id: id }) => id)).toEqual(ids);
    for (const [index, id] of ids.entries())
      expect(answers[index].current_chats[endpoint][0].predicted_result).toBe(`to ${id}`);
  });

  it("is not let to add a model under ANONYMOUS_ROLE=service, and is under admin on a local start", async () => {
    // As the form sends it: numbers as text.
    const form = {
      connector_type: "echo-connector",
      name: unique("New model"),
      uri: "",
      token: "",
      model: "",
      max_calls_per_second: "10",
      max_concurrency: "1",
      params: { timeout: 300, max_attempts: 3 },
    };
    setVariables({ ANONYMOUS_ROLE: "service" });
    const refused = await post("/api/v1/llm-endpoints", form, anonymously);
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining("role admin")]);
    setVariables({ ANONYMOUS_ROLE: "admin", LOCAL: "true" });
    const created = await post("/api/v1/llm-endpoints", form, anonymously);
    expect(created.body).toMatchObject({ message: "Endpoint added successfully" });
    const shown = await get(`/api/v1/llm-endpoints/${created.body.id}`, anonymously);
    expect(shown.body).toEqual({
      id: created.body.id,
      name: form.name,
      connector_type: "echo-connector",
      uri: "",
      token: "",
      max_calls_per_second: 10,
      max_concurrency: 1,
      model: "",
      params: { timeout: 300, max_attempts: 3 },
      created_date: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
    const { token: _token, ...edited } = { ...shown.body, model: "m", max_concurrency: "2" };
    expect((await put(`/api/v1/llm-endpoints/${created.body.id}`, edited, anonymously)).body).toEqual({
      message: "Endpoint updated successfully",
    });
    expect((await get("/api/v1/llm-endpoints/name", anonymously)).body).toContain(created.body.id);
    expect((await del(`/api/v1/llm-endpoints/${created.body.id}`, anonymously)).body).toEqual({
      message: "Endpoint deleted successfully",
    });
  });

  it("reads the lists of benchmarks as empty ones, with the filters that it sends", async () => {
    for (const path of ["cookbooks?undefined", "cookbooks?ids=a,b&count=true", "recipes?categories=x", "runners"])
      expect((await get(`/api/v1/${path}`)).body).toEqual([]);
    for (const list of ["cookbooks", "recipes", "datasets", "metrics", "runners", "benchmarks/results"])
      expect((await get(`/api/v1/${list}/name`)).body).toEqual([]);
    expect((await get("/api/v1/benchmarks/status")).body).toEqual({});
  });

  it("never gets a compressed answer", async () => {
    for (const path of ["/api/v1/llm-endpoints", "/api/v1/nope"]) {
      const answer = await exports.default.fetch(
        new Request(`http://parley.test${path}`, {
          headers: { authorization: `Bearer ${ADMIN_KEY}`, "accept-encoding": "gzip, br" },
        }),
      );
      expect(answer.headers.get("cache-control")).toContain("no-transform");
      await answer.arrayBuffer();
    }
  });
});

describe("the two Moonshot APIs", () => {
  it("have the same sessions", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint], { name: "Both", system_prompt: "Be brief." });
    await promptIn(id, "from 0.7");
    const older = await get(`/v1/sessions/${id}?include_history=true`);
    const [chatId] = older.body.session.chat_ids;
    expect(older.body.session).toMatchObject({ name: "Both", endpoints: [endpoint], system_prompt: "Be brief." });
    expect(older.body.session.chat_history[chatId]).toMatchObject([{ prompt: "from 0.7", system_prompt: "Be brief." }]);
    const { session_id: other } = await createComparison([endpoint]);
    await post(`/v1/sessions/${other}/prompt`, { prompt: "from /v1" });
    expect((await recordsOf(other))[endpoint]).toMatchObject([{ prompt: "from /v1", chat_record_id: 1 }]);
    const ids = (await get("/api/v1/sessions/name")).body;
    expect(ids.slice(0, 2)).toEqual([other, id]);
    expect((await get("/api/v1/sessions?limit=2")).body.map((session: object) => Object.keys(session))).toEqual([
      SESSION_KEYS,
      SESSION_KEYS,
    ]);
  });

  it("show an endpoint that is named twice under its id, with the records of both chats", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint, endpoint]);
    expect((await promptIn(id, "twice")).current_chats[endpoint]).toHaveLength(2);
    expect((await recordsOf(id))[endpoint]).toHaveLength(2);
  });

  it("delete, cancel and refuse alike", async () => {
    const id = await createSession([await createEndpoint()]);
    expect((await post(`/api/v1/sessions/${id}/cancel`)).body).toEqual({ success: true });
    expect((await del(`/api/v1/sessions/${id}`)).body).toEqual({ success: true });
    for (const [method, path, body] of [
      ["GET", ""],
      ["GET", "/close"],
      ["DELETE", ""],
      ["POST", "/prompt", { user_prompt: "x" }],
      ["PUT", "/system-prompt", { system_prompt: "x" }],
      ["DELETE", "/metric/x"],
    ] as const)
      expect([path, (await call(method, `/api/v1/sessions/${id}${path}`, body)).status]).toEqual([path, 404]);
  });
});

describe("a session's settings", () => {
  it("are set at its creation", async () => {
    const template = await createTemplate("T: {{ prompt }}");
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint], {
      prompt_template: template,
      context_strategy: "add_previous_prompt",
      cs_num_of_prev_prompts: 1,
      system_prompt: "S",
      attack_module: "",
      metric: "",
    });
    expect((await get(`/api/v1/sessions/${id}`)).body).toMatchObject({
      chat_records: null,
      session: { prompt_template: template, context_strategy: "add_previous_prompt", cs_num_of_prev_prompts: 1 },
    });
  });

  it.each([
    [{ endpoints: ["no-such-endpoint"] }, 404],
    [{ prompt_template: "no-such-template" }, 404],
    [{ context_strategy: "no_such_strategy" }, 404],
    [{ metric: "bertscore" }, 400],
    [{ cs_num_of_prev_prompts: 0 }, 422],
    [{ cs_num_of_prev_prompts: 51 }, 422],
    [{ endpoints: [] }, 422],
    [{ nme: "x" }, 422],
  ])("that are wrong are refused, and nothing is created: %j", async (fields, expected) => {
    const before = (await get("/api/v1/sessions/name")).body.length;
    const endpoints = [await createEndpoint()];
    expect((await post("/api/v1/sessions", { name: "n", endpoints, ...fields })).status).toBe(expected);
    expect((await get("/api/v1/sessions/name")).body).toHaveLength(before);
  });

  it("send as many previous prompts as they say", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint]);
    for (const text of ["a", "b", "c"]) await promptIn(id, text);
    expect((await put(`/api/v1/sessions/${id}/context-strategy/add_previous_prompt/2`)).body).toEqual({
      success: true,
    });
    const { current_chats: chats } = await promptIn(id, "d");
    expect(chats[endpoint]).toMatchObject([
      { prepared_prompt: "dc\nb\n", context_strategy: "add_previous_prompt", prompt: "d" },
    ]);
    expect((await get(`/api/v1/sessions/${id}`)).body.session.cs_num_of_prev_prompts).toBe(2);
    expect((await del(`/api/v1/sessions/${id}/context-strategy/add_previous_prompt/5`)).body).toEqual({
      success: true,
    });
    expect((await promptIn(id, "e")).current_chats[endpoint]).toMatchObject([
      { prepared_prompt: "e", context_strategy: "" },
    ]);
  });

  it("send five previous prompts again when /v1 sets the strategy", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint]);
    for (const text of ["1", "2", "3", "4", "5", "6"]) await promptIn(id, text);
    await put(`/api/v1/sessions/${id}/context-strategy/add_previous_prompt/2`);
    await put(`/v1/sessions/${id}/context_strategies/add_previous_prompt`);
    expect((await promptIn(id, "7")).current_chats[endpoint]).toMatchObject([{ prepared_prompt: "76\n5\n4\n3\n2\n" }]);
  });

  it.each(["0", "51", "-1", "x", "1.5", "1e1"])("refuse %s previous prompts", async (count) => {
    const id = await createSession([await createEndpoint()]);
    const { status, body } = await put(`/api/v1/sessions/${id}/context-strategy/add_previous_prompt/${count}`);
    expect([status, body.error]).toEqual([422, [expect.objectContaining({ loc: ["path", "num_of_prompt"] })]]);
  });

  it("apply and remove a template", async () => {
    const template = await createTemplate("Q: {{ prompt }}");
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint]);
    expect((await put(`/api/v1/sessions/${id}/prompt-template/${template}`)).body).toEqual({ success: true });
    expect((await promptIn(id, "x")).current_chats[endpoint]).toMatchObject([
      { prepared_prompt: "Q: x", prompt_template: template },
    ]);
    expect((await put(`/api/v1/sessions/${id}/prompt-template/none`)).status).toBe(404);
    expect((await del(`/api/v1/sessions/${id}/prompt-template/${template}`)).body).toEqual({ success: true });
    expect((await promptIn(id, "x")).current_chats[endpoint]).toMatchObject([{ prepared_prompt: "x" }]);
  });

  it("send a system prompt until it is removed, with what the UI sends besides", async () => {
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint]);
    const ask = async () => {
      const { body } = await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "x", history_length: 10 });
      return body.current_chats[endpoint];
    };
    const change = { system_prompt: "Be brief." };
    expect((await put(`/api/v1/sessions/${id}/system-prompt`, change)).body).toEqual({ success: true });
    expect(await ask()).toMatchObject([{ system_prompt: "Be brief.", prompt: "x", prepared_prompt: "x" }]);
    expect((await get(`/api/v1/sessions/${id}`)).body.session.system_prompt).toBe("Be brief.");
    expect((await del(`/api/v1/sessions/${id}/system-prompt`)).body).toEqual({ success: true });
    expect(await ask()).toMatchObject([{ system_prompt: "" }]);
  });

  it("refuse a metric in words, and have none to remove", async () => {
    const id = await createSession([await createEndpoint()]);
    const { status, body } = await put(`/api/v1/sessions/${id}/metric/bertscore`);
    expect([status, body.detail]).toEqual([400, expect.stringContaining("not_supported")]);
    expect((await del(`/api/v1/sessions/${id}/metric/bertscore`)).body).toEqual({ success: true });
  });
});

describe("the lists", () => {
  it("have templates, strategies and connectors, each also by name", async () => {
    const name = await createTemplate("{{ prompt }}");
    expect((await get("/api/v1/prompt-templates")).body).toContainEqual({
      name,
      description: "d",
      template: "{{ prompt }}",
    });
    expect((await get("/api/v1/prompt-templates/name")).body).toContain(name);
    expect((await del(`/api/v1/prompt-templates/${name}`)).body).toEqual({ success: true });
    expect((await get("/api/v1/prompt-templates/name")).body).not.toContain(name);
    expect((await get("/api/v1/context-strategies")).body).toEqual([
      { id: "add_previous_prompt", name: expect.any(String), description: expect.any(String) },
      { id: "chat_history", name: expect.any(String), description: expect.any(String) },
    ]);
    expect((await get("/api/v1/context-strategies/name")).body).toEqual(["add_previous_prompt", "chat_history"]);
    expect((await get("/api/v1/connectors")).body).toContain("openai-connector");
  });
});
