/** Chat completions without a session, by OpenAI's own client, against a provider that plays recorded answers. */
import { env, exports } from "cloudflare:workers";
import OpenAI from "openai";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam } from "openai/resources";
import { describe, expect, inject, it } from "vitest";
import { ADMIN_KEY, post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { kept } from "../../support/kept.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

const upstream = inject("upstream");
const user = (content: string): ChatCompletionMessageParam => ({ role: "user", content });
const hello = [user("Hello")];

async function clientKey(): Promise<string> {
  return (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data.key;
}

async function textOf(stream: AsyncIterable<ChatCompletionChunk>): Promise<string> {
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  return text;
}

/** Opens a stream without a client library. */
const openStream = (model: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(
    new Request("http://parley.test/openai/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ model, messages: hello, stream: true }),
      ...init,
    }),
  );

describe("a completion", () => {
  it("has OpenAI's shape, names the model that was asked for, and leaves nothing", async () => {
    const { id } = await endpointPlaying("hello");
    const before = await kept();
    const { client } = openaiClient();
    const completion: ChatCompletion = await client.chat.completions.create({ model: id, messages: hello });
    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: "chat.completion",
      created: expect.any(Number),
      model: id,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello! How can I assist you today? 🎉", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 19,
        completion_tokens: 10,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
    expect(await kept()).toEqual(before);
  });

  it.each([
    ["length", "length"],
    ["filtered", "content_filter"],
    ["tool-call", "tool_calls"],
  ])("of the scene %s ends by the reason %s, streamed too", async (scene, reason) => {
    const { id } = await endpointPlaying(scene);
    const { client } = openaiClient();
    const whole = await client.chat.completions.create({ model: id, messages: hello });
    expect(whole.choices[0]?.finish_reason).toBe(reason);
    const reasons: unknown[] = [];
    for await (const { choices } of await client.chat.completions.create({ model: id, messages: hello, stream: true }))
      reasons.push(choices[0]?.finish_reason);
    expect(reasons.filter((one) => one !== null)).toEqual([reason]);
    expect(reasons.at(-1)).toBe(reason);
  });

  it("names a reason that has no name in OpenAI's API as the provider does", async () => {
    const chunk = (choice: object) => `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;
    const text = `${chunk({ delta: { content: "Hi" } })}${chunk({ delta: {}, finish_reason: "tired" })}data: [DONE]\n\n`;
    const { id } = await endpointPlaying(`chunk-${encodeURIComponent(text)}`);
    const { choices, usage } = await openaiClient().client.chat.completions.create({ model: id, messages: hello });
    expect(choices[0]).toMatchObject({ finish_reason: "tired", message: { content: "Hi" } });
    expect(usage).toBeUndefined();
  });
});

describe("what is sent to the provider", () => {
  it("is what was asked for, with every other parameter, and its hash comes back", async () => {
    const { id, received } = await endpointPlaying("hello", { params: { temperature: 1, top_p: 0.5 } });
    const { client, calls } = openaiClient();
    const others = {
      temperature: 0.25,
      seed: 7,
      stop: null,
      user: "u1",
      response_format: { type: "json_object" as const },
      reason: "kept",
      issues: ["kept"],
    };
    const parts = [
      { type: "text" as const, text: " a" },
      { type: "text" as const, text: "b " },
    ];
    const messages: ChatCompletionMessageParam[] = [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "1" },
      { role: "assistant", content: "2", refusal: null },
      { role: "user", content: parts },
    ];
    await client.chat.completions.create({ model: id, messages, n: 1, store: false, ...others });
    const [sent] = await received();
    const { stop: _, ...passedOn } = others;
    expect(sent?.body).toEqual({
      model: "gpt-x",
      top_p: 0.5,
      ...passedOn,
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "1" },
        { role: "assistant", content: "2" },
        { role: "user", content: " a\nb " },
      ],
    });
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sent?.text));
    const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(calls[0]?.headers.get("x-parley-body-sha256")).toBe(hash);
    const { response } = await client.chat.completions
      .create({ model: id, messages, n: 1, ...others, stream: true })
      .withResponse();
    expect(response.headers.get("x-parley-body-sha256")).toBe(hash);
  });

  it("has the chatbot's prompt in front of the conversation, behind the caller's own, and its params", async () => {
    const { id, received } = await endpointPlaying("hello");
    const systemPrompt = "You are Ada.";
    const chatbot = await createChatbot({ endpointId: id, systemPrompt, params: { temperature: 0.5, top_p: 0.1 } });
    const { client } = openaiClient();
    const model = `chatbot:${chatbot}`;
    const messages: ChatCompletionMessageParam[] = [{ role: "system", content: "Today is Friday." }, ...hello];
    const { model: named } = await client.chat.completions.create({ model, messages, top_p: 0.9 });
    expect(named).toBe(model);
    expect((await received())[0]?.body).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      messages: [{ role: "system", content: "Today is Friday.\n\nYou are Ada." }, user("Hello")],
    });
    await openaiClient(await clientKey()).client.chat.completions.create({ model, messages: hello, user: "me" });
    const [sent] = await received();
    expect(sent?.body["messages"]).toEqual([{ role: "system", content: "You are Ada." }, user("Hello")]);
    expect(sent?.body).not.toHaveProperty("user");
  });

  it("keeps what the endpoint has pinned, and what its connector can use", async () => {
    const pinned = await createEndpoint({ params: { max_tokens: 5 }, pinned: ["max_tokens"] });
    const { client } = openaiClient();
    const tooMany = { model: pinned, messages: hello, max_completion_tokens: 500 };
    const error = await errorOf(client.chat.completions.create(tooMany));
    expect(error).toMatchObject({ status: 400, param: "max_completion_tokens", code: "invalid_input" });
    const wrong = { model: await createEndpoint(), messages: hello, delay_ms: "soon" };
    expect(await errorOf(client.chat.completions.create(wrong))).toMatchObject({ status: 400, param: "delay_ms" });
  });
});

describe("a streamed completion", () => {
  it("comes in OpenAI's chunks, with the usage for who asks for it", async () => {
    const { id } = await endpointPlaying("hello");
    const { client } = openaiClient();
    const whole = await client.chat.completions.create({ model: id, messages: hello });
    const stream_options = { include_usage: true };
    const chunks: ChatCompletionChunk[] = [];
    const streamed = await client.chat.completions.create({ model: id, messages: hello, stream: true, stream_options });
    for await (const chunk of streamed) chunks.push(chunk);
    const base = { id: chunks[0]?.id, object: "chat.completion.chunk", created: chunks[0]?.created, model: id };
    const choice = (delta: object, finish_reason: string | null = null) => ({
      ...base,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      usage: null,
    });
    expect(chunks[0]).toEqual(choice({ role: "assistant", content: "" }));
    const texts = chunks.slice(1, -2);
    expect(texts).toEqual(texts.map(({ choices }) => choice({ content: choices[0]?.delta.content })));
    expect(texts.map(({ choices }) => choices[0]?.delta.content).join("")).toBe(whole.choices[0]?.message.content);
    expect(chunks.at(-2)).toEqual(choice({}, "stop"));
    expect(chunks.at(-1)).toEqual({ ...base, choices: [], usage: whole.usage });
    for await (const chunk of await client.chat.completions.create({ model: id, messages: hello, stream: true }))
      expect(chunk).not.toHaveProperty("usage");
  });

  it("ends with [DONE], and is not to be transformed", async () => {
    const { id } = await endpointPlaying("hello");
    const answer = await openStream(id);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(answer.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(await answer.text()).toMatch(/\n\ndata: \[DONE\]\n\n$/);
  });

  it("sends each text when the provider does, and closes the call when its reader leaves", async () => {
    const { id, open } = await endpointPlaying("hello.stall");
    const { client } = openaiClient();
    const stream = await client.chat.completions.create({ model: id, messages: hello, stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    await expect.poll(open, { timeout: 20_000 }).toBe(0);
  });

  it("closes the provider's call when its caller leaves before the answer", async () => {
    for (const body of [{}, { stream: true }]) {
      const { id, open } = await endpointPlaying("hello.silent");
      const controller = new AbortController();
      const answer = openStream(id, {
        signal: controller.signal,
        body: JSON.stringify({ model: id, messages: hello, ...body }),
      });
      await expect.poll(open, { timeout: 20_000 }).toBe(1);
      controller.abort();
      await answer.catch(() => undefined);
      await expect.poll(open, { timeout: 20_000 }).toBe(0);
    }
  });

  it("that breaks off ends with an error, and never as if it were whole", async () => {
    for (const [scene, code] of [
      ["hello.reset", "connection_lost"],
      ["hello.truncated", "incomplete_stream"],
      ["hello.broken", "bad_chunk"],
    ] as const) {
      const { id } = await endpointPlaying(scene, { params: { max_attempts: 1 } });
      const { client } = openaiClient();
      let text = "";
      const read = async () => {
        for await (const { choices } of await client.chat.completions.create({
          model: id,
          messages: hello,
          stream: true,
        }))
          text += choices[0]?.delta.content ?? "";
      };
      expect([scene, await errorOf(read())]).toMatchObject([scene, { code, type: "server_error" }]);
      expect([scene, text.length > 0]).toEqual([scene, true]);
      const raw = await (await openStream(id)).text();
      expect(raw).toMatch(/\n\nevent: error\ndata: \{"error":\{.*\}\}\n\n$/);
      expect(raw).not.toContain("[DONE]");
    }
  });
});

describe("a provider that fails", () => {
  it("with 429 is 429, and the client comes back by itself", async () => {
    const { id, received } = await endpointPlaying("429:ms,hello@once", { params: { max_attempts: 1 } });
    const { client, calls } = openaiClient();
    const { choices } = await client.chat.completions.create({ model: id, messages: hello });
    expect(choices[0]?.message.content).toContain("Hello!");
    expect(calls.map(({ status }) => status)).toEqual([429, 200]);
    expect(calls[0]?.headers.get("retry-after")).toBe("1");
    expect(await received()).toHaveLength(2);
    const again = await endpointPlaying("429:long", { params: { max_attempts: 1 } });
    const error = await errorOf(
      openaiClient(ADMIN_KEY, { maxRetries: 0 }).client.chat.completions.create({
        model: again.id,
        messages: hello,
        stream: true,
      }),
    );
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect(error.headers?.get("retry-after")).toBe("500");
  });

  it.each([
    ["400", 400, "provider_rejected"],
    ["401", 502, "provider_auth"],
  ])("with %s is %i and is not called again", async (scene, status, code) => {
    for (const stream of [false, true]) {
      const { id, received } = await endpointPlaying(scene);
      const { client, calls } = openaiClient();
      const error = await errorOf(client.chat.completions.create({ model: id, messages: hello, stream }));
      expect(error).toBeInstanceOf(status === 400 ? OpenAI.BadRequestError : OpenAI.InternalServerError);
      expect(error).toMatchObject({
        status,
        code,
        type: status === 400 ? "invalid_request_error" : "server_error",
      });
      expect(calls).toHaveLength(1);
      expect(await received()).toHaveLength(1);
    }
  });

  it.each([
    ["503", 503, "provider_overloaded"],
    ["500", 502, "provider_error"],
  ])("with %s is %i and may be called again", async (scene, status, code) => {
    const { id, received } = await endpointPlaying(scene, { params: { max_attempts: 2 } });
    const { client, calls } = openaiClient(ADMIN_KEY, { maxRetries: 0 });
    expect(await errorOf(client.chat.completions.create({ model: id, messages: hello }))).toMatchObject({
      status,
      code,
    });
    expect(calls[0]?.headers.has("x-should-retry")).toBe(false);
    expect(await received()).toHaveLength(2);
  });

  it("too late is 504", async () => {
    const { id } = await endpointPlaying("hello.mute", { params: { timeout_ms: 50, max_attempts: 1 } });
    const { client } = openaiClient(ADMIN_KEY, { maxRetries: 0 });
    expect(await errorOf(client.chat.completions.create({ model: id, messages: hello }))).toMatchObject({
      status: 504,
      code: "provider_timeout",
    });
  });

  it("shows a client our own words only", async () => {
    const { id } = await endpointPlaying("400");
    const model = `chatbot:${await createChatbot({ endpointId: id })}`;
    const { client } = openaiClient(await clientKey());
    const error = await errorOf(client.chat.completions.create({ model, messages: hello }));
    expect(error.message).toBe("400 The model did not accept the request.");
  });
});

describe("the endpoint's limits", () => {
  it("hold for calls without a session", async () => {
    const { id } = await endpointPlaying("hello.slow", { max_concurrency: 1 });
    const { client } = openaiClient();
    const calls = Array.from({ length: 4 }, () => client.chat.completions.create({ model: id, messages: hello }));
    for (const { choices } of await Promise.all(calls)) expect(choices[0]?.message.content).toContain("Hello!");
    const provider = new URL(
      (await env.DB.prepare("select uri from endpoints where id = ?").bind(id).first<string>("uri")) ?? "",
    );
    expect(await (await fetch(`${upstream}/most${provider.pathname.replace(/\/[^/]*$/, "")}`)).json()).toBe(1);
  });

  it("that have no room in time are 429", async () => {
    const { id } = await endpointPlaying("hello.stall", { max_concurrency: 1, params: { timeout_ms: 1_500 } });
    const { client } = openaiClient(ADMIN_KEY, { maxRetries: 0 });
    const first = errorOf(client.chat.completions.create({ model: id, messages: hello }));
    const hurried = { model: id, messages: hello, timeout_ms: 100 };
    const second = await errorOf(client.chat.completions.create(hurried));
    expect(second).toBeInstanceOf(OpenAI.RateLimitError);
    expect(second.headers?.get("retry-after")).toMatch(/^\d+$/);
    await first;
  });
});

describe("what is not taken", () => {
  const image = { type: "image_url" as const, image_url: { url: "https://example.com/a.png" } };
  const call = { id: "1", type: "function" as const, function: { name: "f", arguments: "{}" } };

  it.each<[string, ChatCompletionMessageParam[], string]>([
    ["an image", [{ role: "user", content: [{ type: "text", text: "a" }, image] }], "messages[0].content[1]"],
    ["a message of a tool", [...hello, { role: "tool", content: "1", tool_call_id: "1" }], "messages[1].role"],
    ["a call of a tool", [{ role: "assistant", content: null, tool_calls: [call] }], "messages[0].tool_calls"],
    ["a blank message", [...hello, user("\n ")], "messages[1].content"],
    ["no text at all", [{ role: "assistant", content: "" }], "messages"],
    ["too long a message", [user("x".repeat(100_001))], "messages[0].content"],
  ])("%s is refused by name", async (_, messages, param) => {
    const { client, calls } = openaiClient();
    const error = await errorOf(client.chat.completions.create({ model: await createEndpoint(), messages }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: "unsupported_content", param, type: "invalid_request_error" });
    expect(calls).toHaveLength(1);
  });

  it("several answers, no messages, no model are refused by name", async () => {
    const model = await createEndpoint();
    for (const [body, param] of [
      [{ model, messages: hello, n: 2 }, "n"],
      [{ model, messages: [] }, "messages"],
      [{ messages: hello }, "model"],
      [{ model, messages: hello, stream_options: { include_usag: true } }, "stream_options.include_usag"],
      [{ model, messages: hello, stream_options: { include_usage: true } }, "stream_options"],
      [{ model, messages: hello, stream: false, stream_options: {} }, "stream_options"],
      [{ model, messages: hello, contents: [] }, "contents"],
      [{ model, messages: hello, delay_ms: -1 }, "delay_ms"],
    ] as const)
      expect((await post("/openai/v1/chat/completions", body)).body.error).toMatchObject({ param });
    const missing = await post("/openai/v1/chat/completions", { model: "gpt-5", messages: hello });
    expect([missing.status, missing.body.error.code, missing.body.error.param]).toEqual([
      404,
      "model_not_found",
      "model",
    ]);
  });

  it("a client sends no params, no system messages, and asks no endpoint", async () => {
    const endpoint = await createEndpoint();
    const model = `chatbot:${await createChatbot({ endpointId: endpoint })}`;
    const { client } = openaiClient(await clientKey());
    const completions = client.chat.completions;
    expect(await errorOf(completions.create({ model, messages: hello, temperature: 1 }))).toMatchObject({
      status: 400,
      code: "unsupported_parameter",
      param: "temperature",
    });
    const system: ChatCompletionMessageParam[] = [{ role: "developer", content: "Be kind." }, ...hello];
    expect(await errorOf(completions.create({ model, messages: system }))).toMatchObject({
      status: 400,
      code: "unsupported_content",
      param: "messages[0].role",
    });
    expect(await errorOf(completions.create({ model: endpoint, messages: hello }))).toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    expect((await completions.create({ model, messages: hello })).choices[0]?.message.content).toBe("Hello");
  });

  it("a chatbot whose endpoint is gone answers that, once", async () => {
    const endpoint = await createEndpoint();
    const chatbot = await createChatbot({ endpointId: endpoint });
    await env.DB.prepare("delete from endpoints where id = ?").bind(endpoint).run();
    const { client, calls } = openaiClient();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const error = await errorOf(client.chat.completions.create({ model: `chatbot:${chatbot}`, messages: hello }));
    expect(error).toMatchObject({ status: 502, code: "endpoint_missing" });
    expect(calls).toHaveLength(1);
  });
});

it("has the whole text in a stream that a library puts together", async () => {
  const { id } = await endpointPlaying("hello");
  const { client } = openaiClient();
  const runner = client.chat.completions.stream({
    model: id,
    messages: hello,
    stream_options: { include_usage: true },
  });
  const final = await runner.finalChatCompletion();
  expect(final.choices[0]?.message.content).toBe(
    await textOf(await client.chat.completions.create({ model: id, messages: hello, stream: true })),
  );
  expect(final.usage?.total_tokens).toBe(29);
});
