/** `/openai/v1/models`, and how problems of the dialect look, by OpenAI's own client. */
import { env } from "cloudflare:workers";
import OpenAI from "openai";
import type { Model } from "openai/resources/models";
import { describe, expect, it } from "vitest";
import { call, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, unique } from "../../support/create.ts";
import { openaiClient } from "../../support/openai.ts";
import { setVariables } from "../../support/settings.ts";

const clientKey = async (): Promise<string> =>
  (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data.key;

async function listed(client: OpenAI): Promise<Model[]> {
  const models: Model[] = [];
  for await (const model of client.models.list()) models.push(model);
  return models;
}

describe("the list of models", () => {
  it("has every endpoint and every chatbot, owned by its connector type", async () => {
    const name = unique("Ada");
    const endpoint = await createEndpoint({ name, connector_type: "eliza-connector" });
    const chatbot = await createChatbot({ name, endpointId: endpoint });
    const models = await listed(openaiClient().client);
    const created = expect.any(Number);
    expect(models.filter((model) => "name" in model && model.name === name)).toEqual([
      { id: endpoint, object: "model", created, owned_by: "eliza-connector", name },
      { id: `chatbot:${chatbot}`, object: "model", created, owned_by: "eliza-connector", name },
    ]);
    expect(Math.abs(Date.now() / 1000 - (models[0]?.created ?? 0))).toBeLessThan(120);
  });

  it("has no deleted chatbot", async () => {
    const chatbot = await createChatbot();
    await call("DELETE", `/chatbots/${chatbot}`);
    const { client } = openaiClient();
    expect((await listed(client)).map(({ id }) => id)).not.toContain(`chatbot:${chatbot}`);
    await expect(client.models.retrieve(`chatbot:${chatbot}`)).rejects.toMatchObject({ code: "model_not_found" });
  });

  it("shows a client chatbots and no endpoint, and not what they run on", async () => {
    const endpoint = await createEndpoint();
    const chatbot = await createChatbot({ endpointId: endpoint });
    const { client } = openaiClient(await clientKey());
    const models = await listed(client);
    expect(models.map(({ id }) => id)).toContain(`chatbot:${chatbot}`);
    expect(models.filter(({ id, owned_by: owner }) => !id.startsWith("chatbot:") || owner !== "parley")).toEqual([]);
    await expect(client.models.retrieve(endpoint)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect((await client.models.retrieve(`chatbot:${chatbot}`)).owned_by).toBe("parley");
  });

  it("is whole when it is longer than a page", async () => {
    const rows = Array.from({ length: 2_100 }, (_, index) => `long-list-${String(index).padStart(5, "0")}`);
    await env.DB.batch(
      rows.map((id) =>
        env.DB.prepare(
          "insert into endpoints (id, name, connector_type, uri, token, model, max_calls_per_second, max_concurrency, params, created_at, updated_at) values (?, ?, 'echo-connector', '', '', '', 0, 0, '{}', 0, 0)",
        ).bind(id, id),
      ),
    );
    const ids = (await listed(openaiClient().client)).map(({ id }) => id);
    expect(ids.filter((id) => id.startsWith("long-list-"))).toEqual(rows);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("a model", () => {
  it("is found by its id, a chatbot in either case", async () => {
    const { client } = openaiClient();
    const chatbot = await createChatbot();
    const found = await client.models.retrieve(`chatbot:${chatbot.toUpperCase()}`);
    expect(found).toMatchObject({ id: `chatbot:${chatbot}`, object: "model", owned_by: "echo-connector" });
    const endpoint = await createEndpoint();
    expect(await client.models.retrieve(endpoint)).toMatchObject({ id: endpoint, owned_by: "echo-connector" });
  });

  it("that does not exist is not found, with the id that was probably meant", async () => {
    const { client, calls } = openaiClient();
    const name = unique("Gpt 4");
    const id = await createEndpoint({ name });
    const error = await client.models.retrieve(name).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
      type: "invalid_request_error",
    });
    expect((error as Error).message).toContain(`did you mean "${id}"?`);
    for (const model of ["nobody", "chatbot:nobody", `chatbot:${"0".repeat(24)}`])
      await expect(client.models.retrieve(model)).rejects.toMatchObject({ code: "model_not_found" });
    expect(calls.every(({ headers }) => headers.get("x-should-retry") === "false")).toBe(true);
  });
});

describe("a problem in the dialect", () => {
  it("is raised as the client's own error, and not repeated when that mends nothing", async () => {
    const { client, calls } = openaiClient("nobody");
    const error = await client.models.list().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: "invalid_api_key", type: "authentication_error", param: null });
    expect((error as InstanceType<typeof OpenAI.APIError>).requestID).toMatch(/\S/);
    expect(calls).toHaveLength(1);
    setVariables({ ANONYMOUS_ROLE: "nobody" });
    const wrong = await call("GET", "/openai/v1/models", undefined, { token: null });
    expect([wrong.status, wrong.headers.get("x-should-retry")]).toEqual([503, "false"]);
  });

  it("has OpenAI's form for what no route takes", async () => {
    const missing = await post("/openai/v1/embeddings", { input: "x" });
    expect([missing.status, missing.headers.get("x-should-retry")]).toEqual([404, "false"]);
    expect(missing.body).toEqual({
      error: { message: "Route not found", type: "invalid_request_error", param: null, code: "route_not_found" },
    });
    const method = await call("DELETE", "/openai/v1/models");
    expect([method.status, method.headers.get("allow"), method.body.error.code]).toEqual([
      405,
      "GET, HEAD, OPTIONS",
      "method_not_allowed",
    ]);
    for (const path of ["/openai/v1", "/openai/v1/"]) expect((await get(path)).body.error.code).toBe("route_not_found");
    // A path beside the dialect is none of it.
    expect((await get("/openai/v10")).body.success).toBe(false);
  });

  it("has OpenAI's form for a body that is none", async () => {
    const path = "/openai/v1/chat/completions";
    const malformed = await post(path, "{");
    expect([malformed.status, malformed.body.error.code, malformed.body.error.param]).toEqual([
      400,
      "invalid_input",
      null,
    ]);
    expect((await post(path, "x", { headers: { "content-type": "text/plain" } })).status).toBe(415);
    expect((await post(path, " ".repeat(1_048_577))).body.error).toMatchObject({ code: "body_too_large" });
  });

  it("of a limit says when to come back, and may be repeated", async () => {
    const { key } = (await post("/keys", { name: "k", role: "service" })).body.data;
    setVariables({ RATE_LIMITS: "on", SERVICE_LIMIT: { limit: async () => ({ success: false }) } });
    const answer = await get("/openai/v1/models", { token: key });
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(answer.headers.has("x-should-retry")).toBe(false);
    expect(answer.body.error).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
  });
});
