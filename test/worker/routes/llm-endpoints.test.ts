/** Endpoints in `/v1`. */
import { describe, expect, it } from "vitest";
import { MOONSHOT_PARAMS, PARLEY_PARAMS } from "../../../src/core/call-params.ts";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createEndpoint, unique } from "../../support/create.ts";

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
    expect((await post("/v1/llm_endpoints", given)).body).toEqual({ message: "Endpoint added successfully" });
    const shown = {
      id: idOf(name),
      ...given,
      token: "********",
      max_calls_per_second: 0,
      max_concurrency: 0,
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
    const { status, body } = await post("/v1/llm_endpoints", given);
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
  expect(body).toContainEqual({
    connector_type: "azure-openai-connector",
    required: ["name", "connector_type", "uri", "token", "model"],
    optional: ["max_calls_per_second", "max_concurrency", "params", "prices"],
    default_uri: null,
    params: [...PARLEY_PARAMS, ...MOONSHOT_PARAMS, "api_version"],
  });
  for (const { connector_type, required } of body as { connector_type: string; required: string[] }[]) {
    const { status, body: answer } = await post("/v1/llm_endpoints", { name: unique("bare"), connector_type });
    expect([connector_type, status]).toEqual([connector_type, required.includes("uri") ? 422 : 200]);
    if (status === 422) expect(answer.error).toMatchObject([{ loc: ["body", "uri"], msg: "Field required" }]);
  }
  expect((await get("/v1/connectors?include=everything")).status).toBe(422);
});
