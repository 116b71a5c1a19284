/** Responses by OpenAI's own client, against a provider that plays recorded answers. */
import { env } from "cloudflare:workers";
import OpenAI from "openai";
import type { Response as OpenaiResponse, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

const TEXT = "Hello! How can I assist you today? 🎉";

const USAGE = {
  input_tokens: 19,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 29,
};

async function kept(): Promise<unknown> {
  const tables = ["sessions", "messages", "turns"];
  const counts = await env.DB.batch(tables.map((table) => env.DB.prepare(`select count(*) as n from ${table}`)));
  return counts.map(({ results }) => results);
}

describe("a response that is not stored", () => {
  it("has OpenAI's shape, and leaves nothing", async () => {
    const { id } = await endpointPlaying("hello");
    const before = await kept();
    const { client } = openaiClient();
    const response: OpenaiResponse = await client.responses.create({
      model: id,
      input: "Hello",
      instructions: "Be brief.",
      metadata: { topic: "a" },
      store: false,
    });
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
      object: "response",
      model: id,
      status: "completed",
      error: null,
      incomplete_details: null,
      instructions: "Be brief.",
      metadata: { topic: "a" },
      store: false,
      output_text: TEXT,
      output: [
        { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: TEXT }] },
      ],
      usage: USAGE,
    });
    expect(await kept()).toEqual(before);
    await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("sends instructions, messages and the longest reply to the provider", async () => {
    const { id, received } = await endpointPlaying("hello");
    const { client, calls } = openaiClient();
    await client.responses.create({
      model: id,
      store: false,
      instructions: "Be brief.",
      temperature: 0.5,
      max_output_tokens: 20,
      input: [
        { role: "user", content: "1" },
        { role: "assistant", content: [{ type: "output_text", text: "2", annotations: [] }] } as never,
        { type: "message", role: "user", content: [{ type: "input_text", text: "3" }] },
      ],
    });
    const [sent] = await received();
    expect(sent?.body).toMatchObject({
      temperature: 0.5,
      max_tokens: 20,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "1" },
        { role: "assistant", content: "2" },
        { role: "user", content: "3" },
      ],
    });
    expect(sent?.body).not.toHaveProperty("max_output_tokens");
    expect(calls[0]?.headers.get("x-parley-body-sha256")).toMatch(/^[0-9a-f]{64}$/);
    const chatbot = await createChatbot({ endpointId: id, params: { max_completion_tokens: 100 } });
    await client.responses.create({ model: `chatbot:${chatbot}`, store: false, max_output_tokens: 9, input: "x" });
    expect((await received())[0]?.body).toMatchObject({ max_completion_tokens: 9 });
  });

  it("streams in OpenAI's events, which its library puts together", async () => {
    const { id } = await endpointPlaying("hello");
    const { client } = openaiClient();
    const events: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model: id, input: "x", store: false, stream: true }))
      events.push(event);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { usage: USAGE } });
    const final = await client.responses.stream({ model: id, input: "x", store: false }).finalResponse();
    expect(final.output_text).toBe(TEXT);
  });

  it("that fails before its first text has a status; later, its stream ends with response.failed", async () => {
    const refused = await endpointPlaying("429:long", { params: { max_attempts: 1 } });
    const { client } = openaiClient(undefined, { maxRetries: 0 });
    for (const stream of [false, true])
      expect(
        await errorOf(client.responses.create({ model: refused.id, input: "x", store: false, stream })),
      ).toBeInstanceOf(OpenAI.RateLimitError);
    const broken = await endpointPlaying("hello.reset", { params: { max_attempts: 1 } });
    const events: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({
      model: broken.id,
      input: "x",
      store: false,
      stream: true,
    }))
      events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "server_error" } },
    });
    expect(events.filter(({ type }) => type === "response.output_text.delta").length).toBeGreaterThan(0);
    expect(await errorOf(client.responses.create({ model: broken.id, input: "x", store: false }))).toMatchObject({
      status: 502,
      code: "connection_lost",
    });
  });

  it("ends as incomplete where the provider stopped early", async () => {
    const { client } = openaiClient();
    for (const [scene, reason] of [
      ["length", "max_output_tokens"],
      ["filtered", "content_filter"],
    ] as const) {
      const { id } = await endpointPlaying(scene);
      const response = await client.responses.create({ model: id, input: "x", store: false });
      expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason } });
    }
  });
});

describe("what is not taken", () => {
  it.each<[string, object, string, string]>([
    ["tools", { tools: [{ type: "web_search" }] }, "tools", "invalid_input"],
    ["background", { background: true }, "background", "invalid_input"],
    [
      "images",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] },
      "input[0].content[0]",
      "unsupported_content",
    ],
    [
      "files",
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "x" }] }] },
      "input[0].content[0]",
      "unsupported_content",
    ],
    [
      "items that are no messages",
      { input: [{ type: "function_call_output", call_id: "1", output: "x" }] },
      "input[0]",
      "unsupported_content",
    ],
    ["a JSON format", { text: { format: { type: "json_object" } } }, "text.format.type", "invalid_input"],
    ["an unknown field", { max_ouput_tokens: 1 }, "max_ouput_tokens", "invalid_input"],
    ["too much metadata", { metadata: { a: "x".repeat(513) } }, "metadata.a", "invalid_input"],
  ])("%s: 400 naming the field", async (_, fields, param, code) => {
    const body = { model: await createEndpoint(), input: "x", store: false, ...fields };
    const { status, body: answer } = await post("/openai/v1/responses", body);
    expect([status, answer.error.param, answer.error.code]).toEqual([400, param, code]);
  });

  it("what asks for nothing is taken", async () => {
    const nothing = {
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
      text: { format: { type: "text" } },
      include: ["reasoning.encrypted_content"],
      truncation: "disabled",
      background: false,
      service_tier: "auto",
      user: "u",
      temperature: null,
    };
    const body = { model: await createEndpoint(), input: "x", store: false, ...nothing };
    expect((await post("/openai/v1/responses", body)).status).toBe(200);
  });

  it("a client sets no params and gives no instructions", async () => {
    const model = `chatbot:${await createChatbot()}`;
    const { key } = (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data;
    const { client } = openaiClient(key);
    const responses = client.responses;
    expect(await errorOf(responses.create({ model, input: "x", store: false, max_output_tokens: 5 }))).toMatchObject({
      status: 400,
      code: "unsupported_parameter",
      param: "max_output_tokens",
    });
    expect(await errorOf(responses.create({ model, input: "x", store: false, instructions: "x" }))).toMatchObject({
      status: 400,
      code: "unsupported_content",
      param: "instructions",
    });
    expect((await responses.create({ model, input: "x", store: false })).output_text).toBe("x");
  });
});
