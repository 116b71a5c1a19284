/** Endpoints in `/v1`. */
import { describe, expect, inject, it, vi } from "vitest";
import { MOONSHOT_PARAMS, PARLEY_PARAMS } from "../../../src/core/call-params.ts";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createEndpoint, createSession, unique } from "../../support/create.ts";

const idOf = (name: string) => name.replaceAll(" ", "-");

describe("endpoints", () => {
  it("are created, read without their token, changed in part, and deleted", async () => {
    const name = unique("gpt");
    const given = {
      name,
      connector_type: "openai-connector",
      uri: "https://api.example.com/v1",
      token: "sk-secret",
      model: "m",
      params: { temperature: 0.5 },
    };
    const created = { message: "Endpoint added successfully", id: idOf(name) };
    expect((await post("/v1/llm_endpoints", given)).body).toEqual(created);
    const shown = {
      id: idOf(name),
      ...given,
      token: "********",
      max_calls_per_second: 0,
      max_concurrency: 0,
      pinned: [],
      prices: null,
    };
    expect((await get(`/v1/llm_endpoints/${idOf(name)}`)).body).toEqual(shown);
    expect((await get("/v1/llm_endpoints")).body).toContainEqual(shown);
    expect((await put(`/v1/llm_endpoints/${idOf(name)}`, { model: "n", token: "********" })).body).toEqual({
      message: "Endpoint updated successfully",
    });
    expect((await get(`/v1/llm_endpoints/${idOf(name)}`)).body).toEqual({ ...shown, model: "n" });
    expect((await del(`/v1/llm_endpoints/${idOf(name)}`)).body).toEqual({ message: "Endpoint deleted successfully" });
    expect((await get(`/v1/llm_endpoints/${idOf(name)}`)).status).toBe(404);
    expect((await del(`/v1/llm_endpoints/${idOf(name)}`)).status).toBe(404);
  });

  it("accept numbers as text, and empty params as none", async () => {
    const id = await createEndpoint({ max_calls_per_second: "10", max_concurrency: "1", params: "" });
    expect((await get(`/v1/llm_endpoints/${id}`)).body).toMatchObject({
      max_calls_per_second: 10,
      max_concurrency: 1,
      params: {},
    });
  });

  it("have prices when these are given, and none when they are removed", async () => {
    const prices = { input_per_million: 0.15, output_per_million: 0.6 };
    const id = await createEndpoint({ prices });
    const shown = async () => (await get(`/v1/llm_endpoints/${id}`)).body.prices;
    expect(await shown()).toEqual(prices);
    await put(`/v1/llm_endpoints/${id}`, { model: "n" });
    expect(await shown()).toEqual(prices);
    await put(`/v1/llm_endpoints/${id}`, { prices: { input_per_million: "2.5", output_per_million: "0" } });
    expect(await shown()).toEqual({ input_per_million: 2.5, output_per_million: 0 });
    await put(`/v1/llm_endpoints/${id}`, { prices: null });
    expect(await shown()).toBeNull();
  });

  it.each([{ input_per_million: 1 }, { input_per_million: -1, output_per_million: 1 }, "", 5])(
    "refuse prices such as %j with 422",
    async (prices) => {
      const id = await createEndpoint();
      const { status, body } = await put(`/v1/llm_endpoints/${id}`, { prices });
      expect([status, body.error[0].loc.slice(0, 2)]).toEqual([422, ["body", "prices"]]);
    },
  );

  it("have unique names, and cannot be deleted while a chatbot uses them", async () => {
    const name = unique("twice");
    const given = { name, connector_type: "echo-connector" };
    await post("/v1/llm_endpoints", given);
    expect((await post("/v1/llm_endpoints", given)).status).toBe(409);
    const chatbotId = await createChatbot({ endpointId: idOf(name) });
    expect((await del(`/v1/llm_endpoints/${idOf(name)}`)).status).toBe(409);
    await del(`/chatbots/${chatbotId}`);
    expect((await del(`/v1/llm_endpoints/${idOf(name)}`)).status).toBe(200);
  });

  it("show the name of their secret, which must be a provider's", async () => {
    const id = await createEndpoint({ token: "env:PROVIDER_OPENAI" });
    expect((await get(`/v1/llm_endpoints/${id}`)).body.token).toBe("env:PROVIDER_OPENAI");
    const refused = await post("/v1/llm_endpoints", {
      name: unique("bad"),
      connector_type: "echo-connector",
      token: "env:ADMIN_KEY",
    });
    expect([refused.status, refused.body.error[0].loc]).toEqual([422, ["body", "token"]]);
  });

  it("need their token again to move to another origin", async () => {
    const id = await createEndpoint({
      connector_type: "openai-connector",
      uri: "https://one.example.com/v1",
      token: "sk-secret",
    });
    expect((await put(`/v1/llm_endpoints/${id}`, { uri: "https://one.example.com/v2" })).status).toBe(200);
    const moved = await put(`/v1/llm_endpoints/${id}`, { uri: "https://two.example.com/v1", token: "********" });
    expect([moved.status, moved.body.error[0].loc]).toEqual([422, ["body", "token"]]);
    expect(
      (await put(`/v1/llm_endpoints/${id}`, { uri: "https://two.example.com/v1", token: "sk-other" })).status,
    ).toBe(200);
  });

  it("need it again to change to a connector with another address", async () => {
    const id = await createEndpoint({ connector_type: "anthropic-connector", token: "sk-ant" });
    expect((await put(`/v1/llm_endpoints/${id}`, { connector_type: "openai-connector" })).status).toBe(422);
  });

  it("need it again to change their connector at one address, a secret's name too", async () => {
    for (const token of ["sk-secret", "env:PROVIDER_OPENAI"]) {
      const id = await createEndpoint({ connector_type: "openai-connector", uri: "https://one.example.com/v1", token });
      const path = `/v1/llm_endpoints/${id}`;
      const refused = await put(path, { connector_type: "together-connector", token: "********" });
      expect([refused.status, refused.body.error[0].loc]).toEqual([422, ["body", "token"]]);
      expect((await get(path)).body.connector_type).toBe("openai-connector");
      expect((await put(path, { connector_type: "together-connector", token })).status).toBe(200);
    }
  });

  it.each([
    [{ name: "!!!", connector_type: "echo-connector" }, "name"],
    [{ name: "x", connector_type: "carrier-pigeon" }, "connector_type"],
    [{ name: "x", connector_type: "openai-connector", uri: "not an address" }, "uri"],
    [{ name: "x", connector_type: "openai-connector", uri: "ftp://example.com" }, "uri"],
    [{ name: "x", connector_type: "openai-connector", uri: "https://user:pass@example.com" }, "uri"],
    [{ name: "x", connector_type: "openai-connector", uri: "https://example.com/v1?x=1" }, "uri"],
    [{ name: "x", connector_type: "echo-connector", params: { messages: [] } }, "params.messages"],
    [{ name: "x", connector_type: "echo-connector", params: { timeout_ms: "soon" } }, "params.timeout_ms"],
    [{ name: "x", connector_type: "echo-connector", params: { max_attempts: 11 } }, "params.max_attempts"],
    [{ name: "x", connector_type: "openai-connector", uri: "https://example.com/api/chat" }, "uri"],
    [{ name: "x", connector_type: "openai-connector", uri: "https://example.com/v1/responses/" }, "uri"],
    [{ name: "x", connector_type: "anthropic-connector", uri: "https://example.com/v1/chat/completions" }, "uri"],
    [
      {
        name: "x",
        connector_type: "google-gemini-connector",
        uri: "https://example.com/models/m:generateContent?key=k",
      },
      "uri",
    ],
    [{ name: "x", connector_type: "echo-connector", max_concurrency: "many" }, "max_concurrency"],
  ])("refuse %j with 422", async (given, field) => {
    const { status, body } = await post("/v1/llm_endpoints", { model: "m", token: "", ...given });
    expect([status, body.error[0].loc]).toEqual([422, ["body", ...field.split(".")]]);
  });

  it.each([
    ["echo-connector", "delay_ms", ["x", "", -1, 600_001, true, [1]]],
    ["echo-connector", "fail", ["banana", "", 200, 600, 500.5, true, "Timeout"]],
    ["echo-connector", "fail_times", ["x", -1, 1.5, {}]],
    ["echo-connector", "tokens_per_second", ["fast", -1, 0.0001]],
    ["eliza-connector", "tokens_per_second", ["fast", -1]],
  ] as const)(
    "of type %s refuse params.%s that has no meaning, in endpoints and chatbots",
    async (type, name, values) => {
      const id = await createEndpoint({ connector_type: type });
      const foreign = { connector_type: "openai-connector", token: "sk-1", model: "m" };
      const other = await createEndpoint({ ...foreign, params: { [name]: values[0] } });
      const chatbotId = await createChatbot({ endpointId: id });
      for (const value of values) {
        const params = { [name]: value };
        for (const { status, body } of [
          await post("/v1/llm_endpoints", { name: "x", connector_type: type, params }),
          await put(`/v1/llm_endpoints/${id}`, { params }),
          await put(`/v1/llm_endpoints/${other}`, { connector_type: type, token: "" }),
        ])
          expect([status, body.error?.[0].loc]).toEqual([422, ["body", "params", name]]);
        for (const { status, body } of [
          await post("/chatbots", { name: "x", endpointId: id, params }),
          await put(`/chatbots/${chatbotId}`, { params }),
        ])
          expect([status, body.error?.details?.[0].path]).toEqual([400, `params.${name}`]);
      }
      expect((await get(`/v1/llm_endpoints/${id}`)).body.params).toEqual({});
      expect((await put(`/v1/llm_endpoints/${id}`, { params: { [name]: null } })).status).toBe(200);
    },
  );

  it("of type echo-connector take params that have a meaning, numbers as text too", async () => {
    for (const params of [
      { delay_ms: "0", fail: "timeout", fail_times: "2", tokens_per_second: "50" },
      { delay_ms: 600_000, fail: 503, fail_times: 0, tokens_per_second: 0 },
      { fail: "302" },
    ])
      await createChatbot({ endpointId: await createEndpoint({ params }), params });
  });

  it("never repeat a token in an error", async () => {
    const { body } = await post("/v1/llm_endpoints", {
      name: "x",
      connector_type: "echo-connector",
      token: { secret: "sk-1" },
    });
    expect(JSON.stringify(body)).not.toContain("sk-1");
    const long = await post("/v1/llm_endpoints", {
      name: "x",
      connector_type: "echo-connector",
      token: `sk-2${"x".repeat(3000)}`,
    });
    expect(JSON.stringify(long.body)).not.toContain("sk-2");
  });
});

describe("the limits of a reply", () => {
  it.each([
    { max_attempts: 11 },
    { max_attempts: "1e3" },
    { timeout_ms: 600_001 },
    { timeout: 601 },
    { num_of_retries: 10 },
    { num_of_retries: "999" },
    { max_attempts: [10] },
    { max_attempts: true },
    { max_attempts: 1.5 },
    { max_attempts: "" },
    { timeout_ms: [5] },
    { timeout_ms: "Infinity" },
    { timeout: [1] },
    { first_token_ms: [1] },
    { first_token_ms: true },
    { idle_ms: ["7"] },
    { num_of_retries: [] },
    { num_of_retries: " " },
    { num_of_retries: 2.5 },
    { allow_retries: ["false"] },
    { alternate_roles: ["true"] },
    { alternate_roles: 1 },
  ])("are refused beyond what is allowed, wherever params are taken: %j", async (params) => {
    const [name] = Object.keys(params);
    const given = { name: unique("outdone"), connector_type: "echo-connector", params };
    const [endpointId, chatbotId] = [await createEndpoint(), await createChatbot()];
    for (const refused of [
      await post("/v1/llm_endpoints", given),
      await put(`/v1/llm_endpoints/${endpointId}`, { params }),
    ]) {
      expect([refused.status, refused.body.error[0].loc]).toEqual([422, ["body", "params", name]]);
    }
    for (const refused of [
      await post("/chatbots", { name: "Outdone", endpointId, params }),
      await put(`/chatbots/${chatbotId}`, { params }),
    ]) {
      expect([refused.status, refused.body.error.details[0].path]).toEqual([400, `params.${name}`]);
    }
    const hello = { messages: [{ role: "user", content: "Hello" }], ...params };
    for (const [model, store] of [
      [endpointId, false],
      [endpointId, true],
      [`chatbot:${chatbotId}`, false],
    ]) {
      const { status, body } = await post("/openai/v1/chat/completions", { model, store, ...hello });
      expect([status, body.error?.code, body.error?.param]).toEqual([400, "invalid_input", name]);
    }
    expect((await get(`/chatbots/${chatbotId}`)).body.data.params).toBeUndefined();
  });

  it.each([[[5]], [true], [null], [""], ["five"], [{}]])(
    "are numbers, or their text, also those of the endpoint: %j is refused",
    async (value) => {
      const endpointId = await createEndpoint({ max_concurrency: 3 });
      for (const field of ["max_concurrency", "max_calls_per_second"]) {
        const refused = await put(`/v1/llm_endpoints/${endpointId}`, { [field]: value });
        expect([refused.status, refused.body.error?.[0]?.loc]).toEqual([422, ["body", field]]);
      }
      expect((await get(`/v1/llm_endpoints/${endpointId}`)).body.max_concurrency).toBe(3);
    },
  );

  it("are accepted up to there", async () => {
    const params = { max_attempts: 10, timeout_ms: 600_000, timeout: 600, num_of_retries: 9 };
    const id = await createEndpoint({ params });
    expect((await get(`/v1/llm_endpoints/${id}`)).body.params).toEqual(params);
  });
});

it("a missing price is named as missing", async () => {
  const { body } = await post("/v1/llm_endpoints", {
    name: unique("prices"),
    connector_type: "echo-connector",
    prices: { input_per_million: 1 },
  });
  expect(body.error).toMatchObject([
    { type: "missing", loc: ["body", "prices", "output_per_million"], msg: "Field required" },
  ]);
});

describe("params that an endpoint pins", () => {
  const pinnedPath = (
    param: string,
    refused: { body: { error: { details: { path: string; message: string }[] } } },
  ) => {
    expect(refused.body.error.details).toEqual([
      { path: `params.${param}`, message: expect.stringContaining("pinned") },
    ]);
  };

  it("are refused in a chatbot's params, by name, and others are not", async () => {
    const endpointId = await createEndpoint({ pinned: ["model", "timeout_ms"] });
    expect((await get(`/v1/llm_endpoints/${endpointId}`)).body.pinned).toEqual(["model", "timeout_ms"]);
    const create = (params: object) => post("/chatbots", { name: "Pinned", endpointId, params });
    const refused = await create({ model: "large" });
    expect(refused.status).toBe(400);
    pinnedPath("model", refused);
    pinnedPath("timeout", await create({ temperature: 1, timeout: 5 }));
    const { body } = await create({ temperature: 1 });
    const path = `/chatbots/${body.data.id}`;
    pinnedPath("model", await put(path, { params: { model: null } }));
    expect((await get(path)).body.data.params).toEqual({ temperature: 1 });
    expect((await put(path, { params: null })).status).toBe(200);
  });

  it("are refused when a chatbot that overrides them comes to the endpoint", async () => {
    const chatbotId = await createChatbot({ params: { model: "large" } });
    const endpointId = await createEndpoint({ pinned: ["model"] });
    pinnedPath("model", await put(`/chatbots/${chatbotId}`, { endpointId }));
    expect((await put(`/chatbots/${chatbotId}`, { endpointId, params: {} })).status).toBe(200);
  });

  it("hold for chatbots that overrode them before, which can still be changed", async () => {
    const uri = `${inject("upstream")}/pinned/hello`;
    const endpointId = await createEndpoint({ connector_type: "openai-connector", uri, model: "small" });
    const chatbotId = await createChatbot({ endpointId, params: { model: "large", seed: 7 } });
    const sent = async () => {
      const session = await createSession({ chatbotId });
      await post(`/sessions/chat?sessionId=${session}`, { content: "Hi" });
      const received = await (await fetch(`${inject("upstream")}/received/pinned`)).json<{ text: string }[]>();
      return JSON.parse(received[0]?.text ?? "{}");
    };
    expect(await sent()).toMatchObject({ model: "large", seed: 7 });
    await put(`/v1/llm_endpoints/${endpointId}`, { pinned: ["model"] });
    expect(await sent()).toMatchObject({ model: "small", seed: 7 });
    const same = { endpointId, params: { model: "large", seed: 7 } };
    expect((await put(`/chatbots/${chatbotId}`, { ...same, name: "Renamed" })).status).toBe(200);
    await put(`/v1/llm_endpoints/${endpointId}`, { pinned: null });
    expect(await sent()).toMatchObject({ model: "large", seed: 7 });
  });

  it.each(["model", [1], [""], { model: true }])("are a list of names: %j is refused", async (pinned) => {
    const given = { name: unique("pins"), connector_type: "echo-connector", pinned };
    expect((await post("/v1/llm_endpoints", given)).status).toBe(422);
  });
});

const CONNECTORS = [
  "openai-connector",
  "azure-openai-connector",
  "together-connector",
  "anthropic-connector",
  "google-gemini-connector",
  "workers-ai-connector",
  "echo-connector",
  "eliza-connector",
];

it("name each fault as pydantic does, once, with the field that has it", async () => {
  const faults = async (fields: object) => {
    const { status, body } = await post("/v1/llm_endpoints", {
      name: unique("faulty"),
      connector_type: "echo-connector",
      ...fields,
    });
    expect(status).toBe(422);
    return body.error.map(({ type, loc }: { type: string; loc: string[] }) => [type, loc[1]]);
  };
  expect(await faults({ max_concurrency: -1 })).toEqual([["greater_than_equal", "max_concurrency"]]);
  expect(await faults({ name: "" })).toEqual([["string_too_short", "name"]]);
  expect(await faults({ name: "x".repeat(201) })).toEqual([["string_too_long", "name"]]);
  const id = await createEndpoint({ connector_type: "openai-connector", uri: "https://one.example", token: "sk-1" });
  const move = (uri: string) => put(`/v1/llm_endpoints/${id}`, { uri });
  expect((await move("not a url")).body.error).toMatchObject([{ loc: ["body", "uri"] }]);
  expect((await move("https://two.example")).body.error).toMatchObject([{ loc: ["body", "token"] }]);
});

it("list the connector types", async () => {
  expect((await get("/v1/connectors")).body).toEqual(CONNECTORS);
});

it("show what each connector type needs, and check it for a new endpoint", async () => {
  const { body } = await get("/v1/connectors?include=fields");
  expect(body.map((connector: { connector_type: string }) => connector.connector_type)).toEqual(CONNECTORS);
  const needs = body.map(({ connector_type, required }: { connector_type: string; required: string[] }) => [
    connector_type,
    required.slice(2).join(),
  ]);
  expect(Object.fromEntries(needs)).toEqual({
    "openai-connector": "model",
    "azure-openai-connector": "uri,token,model",
    "together-connector": "token,model",
    "anthropic-connector": "token,model",
    "google-gemini-connector": "token,model",
    "workers-ai-connector": "model",
    "echo-connector": "",
    "eliza-connector": "",
  });
  expect(body).toContainEqual({
    connector_type: "azure-openai-connector",
    required: ["name", "connector_type", "uri", "token", "model"],
    optional: ["max_calls_per_second", "max_concurrency", "params", "pinned", "prices"],
    default_uri: null,
    params: [...PARLEY_PARAMS, ...MOONSHOT_PARAMS, "api_version"],
  });
  for (const { connector_type, required } of body as { connector_type: string; required: string[] }[]) {
    const given = { name: unique("bare"), connector_type };
    const needed = required.filter((field) => !(field in given));
    const { status, body: answer } = await post("/v1/llm_endpoints", given);
    expect([connector_type, status]).toEqual([connector_type, needed.length > 0 ? 422 : 200]);
    if (status !== 422) continue;
    expect(answer.error).toMatchObject(
      needed.map((field) => ({
        loc: ["body", field],
        msg: field === "uri" ? "Field required" : 'Field required ("" for none)',
      })),
    );
    const fields = Object.fromEntries(needed.map((field) => [field, field === "uri" ? "https://api.example.com" : ""]));
    expect((await post("/v1/llm_endpoints", { ...given, ...fields })).status).toBe(200);
  }
  expect((await get("/v1/connectors?include=everything")).status).toBe(422);
});

it.each([
  { connector_type: "openai-connector", params: { model: "m" } },
  { connector_type: "openai-connector", params: { model: null } },
  { connector_type: "google-gemini-connector", token: "k", uri: "https://g.example.com/v1/models/gemini-pro" },
  { connector_type: "azure-openai-connector", token: "k", uri: "https://a.example.com/openai/deployments/gpt" },
])("take the model from params or the address: %j", async (given) => {
  expect((await post("/v1/llm_endpoints", { name: unique("elsewhere"), ...given })).status).toBe(200);
});

describe("an id that is a name", () => {
  it("is not found, and the answer says the id, wherever an endpoint is named", async () => {
    const name = unique("My GPT");
    const { id } = (await post("/v1/llm_endpoints", { name, connector_type: "echo-connector" })).body;
    const path = `/v1/llm_endpoints/${encodeURIComponent(name)}`;
    const detail = `Endpoint "${name}" not found: did you mean the id "${id}"?`;
    for (const refused of [
      await get(path),
      await put(path, { model: "m" }),
      await del(path),
      await post(`${path}/test`),
      await post("/v1/sessions", { name: "x", endpoints: [id, name] }),
    ]) {
      expect([refused.status, refused.body]).toEqual([404, { detail }]);
    }
    const chatbot = await post("/chatbots", { name: "x", endpointId: name });
    expect([chatbot.status, chatbot.body.message]).toEqual([404, detail]);
    expect((await put(`/chatbots/${await createChatbot()}`, { endpointId: name })).body.message).toBe(detail);
  });

  it("of no endpoint is just not found", async () => {
    for (const name of ["No Such Model", "no-such-model", "!!!", "x".repeat(3_000)]) {
      const { status, body } = await get(`/v1/llm_endpoints/${encodeURIComponent(name)}`);
      expect([status, body.detail]).toEqual([404, `Endpoint "${name}" not found`]);
    }
  });
});

describe("a test of an endpoint", () => {
  const upstream = inject("upstream");
  const test = async (fields: object) => post(`/v1/llm_endpoints/${await createEndpoint({ ...fields })}/test`);

  it("asks it once, and answers time, model, tokens and the reply", async () => {
    const { status, body } = await test({
      connector_type: "openai-connector",
      uri: `${upstream}/tested/hello`,
      token: "sk-tested",
      model: "the-model",
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: true, error: null, finish_reason: "stop", provider_request_id: "req_fixture" });
    expect(body.text).toMatch(/^Hello/);
    expect(body.model).toEqual(expect.any(String));
    expect(body.usage.output_tokens).toBeGreaterThan(0);
    expect(body.duration_ms).toBeGreaterThanOrEqual(body.ttft_ms);
    const received = await (await fetch(`${upstream}/received/tested`)).json<{ headers: object; text: string }[]>();
    expect(received).toHaveLength(1);
    expect(received[0]?.headers).toMatchObject({ authorization: "Bearer sk-tested" });
    expect(JSON.parse(received[0]?.text ?? "{}").messages).toEqual([
      { role: "user", content: "Reply with the word OK." },
    ]);
  });

  it.each([
    ["503", {}, "provider_overloaded", 1],
    ["401", {}, "provider_auth", 1],
    ["hello", { token: "env:PROVIDER_NOT_SET" }, "provider_auth", 0],
    ["hello", { uri: "http://127.0.0.1:9/v1" }, "connection_lost", 0],
  ])("that fails (%s, %j) is 200 with the failure, after one call", async (scene, fields, code, calls) => {
    const provider = `failing-${crypto.randomUUID()}`;
    const uri = `${upstream}/${provider}/${scene}`;
    const openai = { connector_type: "openai-connector", model: "m", uri, params: { max_attempts: 5 } };
    const { status, body } = await test({ ...openai, ...fields });
    expect([status, body.ok, body.error.code, body.text]).toEqual([200, false, code, ""]);
    expect(await (await fetch(`${upstream}/received/${provider}`)).json()).toHaveLength(calls);
  });

  it("shows at most 1,000 characters of the reply", async () => {
    const chunk = { choices: [{ index: 0, delta: { content: "x".repeat(1_200) }, finish_reason: "stop" }] };
    const scene = `chunk-${encodeURIComponent(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)}`;
    const { body } = await test({ connector_type: "openai-connector", model: "m", uri: `${upstream}/long/${scene}` });
    expect([body.ok, body.text]).toEqual([true, "x".repeat(1_000)]);
  });

  it("waits as long as the endpoint's own limit, and 30 seconds at most", async () => {
    const soon = await test({ params: { delay_ms: 1_000, timeout_ms: 50 } });
    expect([soon.body.ok, soon.body.error.code]).toEqual([false, "provider_timeout"]);
    const timers = vi.spyOn(globalThis, "setTimeout");
    await test({ params: { timeout_ms: 600_000 } });
    const waits = timers.mock.calls.map(([, milliseconds]) => milliseconds);
    timers.mockRestore();
    expect(waits).toContain(30_000);
    expect(waits).not.toContain(600_000);
  });

  it("keeps its limits", async () => {
    const id = await createEndpoint({ max_concurrency: 1, params: { delay_ms: 300 } });
    const tests = await Promise.all([1, 2].map(() => post(`/v1/llm_endpoints/${id}/test`)));
    expect(tests.map(({ body }) => body.ok)).toEqual([true, true]);
    expect(Math.min(...tests.map(({ body }) => body.ttft_ms))).toBeGreaterThanOrEqual(200);
    expect(Math.max(...tests.map(({ body }) => body.queue_ms))).toBeGreaterThanOrEqual(200);
  });

  it("changes no session, and needs an endpoint that exists", async () => {
    expect((await post("/v1/llm_endpoints/nowhere/test")).status).toBe(404);
  });
});

describe("a misspelt param of a connector without a model", () => {
  it.each([
    ["echo-connector", { params: { delay: 200 } }, ["params", "delay"], "delay_ms"],
    ["eliza-connector", { params: { tokens_per_secnd: 3 } }, ["params", "tokens_per_secnd"], "tokens_per_second"],
    ["echo-connector", { params: { max_atempts: 3 } }, ["params", "max_atempts"], "max_attempts"],
    ["echo-connector", { pinned: ["model", "fail_time"] }, ["pinned", 1], "fail_times"],
  ])("is refused, with the name that was meant: %s %j", async (type, fields, path, nearest) => {
    const id = await createEndpoint({ connector_type: type });
    for (const refused of [
      await post("/v1/llm_endpoints", { name: unique("misspelt"), connector_type: type, ...fields }),
      await put(`/v1/llm_endpoints/${id}`, fields),
    ])
      expect([refused.status, refused.body.error]).toEqual([
        422,
        [expect.objectContaining({ loc: ["body", ...path], msg: `unknown param, did you mean "${nearest}"?` })],
      ]);
    expect((await get(`/v1/llm_endpoints/${id}`)).body).toMatchObject({ params: {}, pinned: [] });
  });

  it("is none of a model's params, and none in a chatbot, which another endpoint can get", async () => {
    const params = {
      temperature: 0.5,
      max_tokens: 5,
      max_completion_tokens: 5,
      top_p: 1,
      top_k: 4,
      stop: ["x"],
      seed: 1,
      n: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      response_format: { type: "text" },
      logprobs: true,
      reasoning_effort: "low",
      stream_options: null,
      system_prompt: "Be brief.",
    };
    const endpointId = await createEndpoint({ params, pinned: Object.keys(params) });
    expect((await get(`/v1/llm_endpoints/${endpointId}`)).body.params).toEqual(params);
    const chatbot = { name: "Later", endpointId, params: { delay: 200 } };
    expect((await post("/chatbots", chatbot)).status).toBe(201);
  });
});
