/** Replies and failures of providers as a caller of `/v1` sees them, and the requests that providers get. */
import { describe, expect, inject, it } from "vitest";
import { get, post } from "../../support/api.ts";
import { createChatbot, createComparison, createSession, createEndpoint } from "../../support/create.ts";

const upstream = inject("upstream");

/** Submits one prompt to endpoints over HTTP. @returns their records */
async function ask(endpoints: Record<string, unknown>[], prompt = "Hi") {
  const ids: string[] = [];
  for (const fields of endpoints)
    ids.push(await createEndpoint({ token: "sk-testing", model: "the-model", ...fields }));
  const session = await createComparison(ids);
  const { status, body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt });
  expect(status).toBe(200);
  return session.chat_ids.map((id: string) => body[id][0]);
}

const openai = (scene: string) => ({ connector_type: "openai-connector", uri: `${upstream}/openai/${scene}` });
const anthropic = (scene: string) => ({ connector_type: "anthropic-connector", uri: `${upstream}/anthropic/${scene}` });

describe("a complete answer", () => {
  it.each([
    ["OpenAI", openai("hello"), "Hello! How can I assist you today? 🎉", "stop", "gpt-4.1-2025-04-14", [19, 10]],
    [
      "OpenAI, slow",
      openai("hello.slow"),
      "Hello! How can I assist you today? 🎉",
      "stop",
      "gpt-4.1-2025-04-14",
      [19, 10],
    ],
    ["OpenAI at its limit", openai("length"), "Once upon a", "length", "gpt-4.1-2025-04-14", [19, 10]],
    ["OpenAI's filter", openai("filtered"), "", "content_filter", "gpt-4.1-2025-04-14", [19, 10]],
    ["Anthropic", anthropic("hello"), "Hello! Nice to meet you 🎉", "stop", "claude-sonnet-4-5-20250929", [25, 15]],
    [
      "Anthropic, slow",
      anthropic("hello.slow"),
      "Hello! Nice to meet you 🎉",
      "stop",
      "claude-sonnet-4-5-20250929",
      [25, 15],
    ],
    ["Anthropic at its limit", anthropic("length"), "Once upon a", "length", "claude-sonnet-4-5-20250929", [25, 15]],
    ["Anthropic's refusal", anthropic("filtered"), "", "content_filter", "claude-sonnet-4-5-20250929", [25, 15]],
  ])("of %s becomes a record", async (_, endpoint, text, finish_reason, model, [input_tokens, output_tokens]) => {
    const [record] = await ask([endpoint]);
    expect(record).toMatchObject({
      status: "ok",
      error: null,
      predicted_result: text,
      finish_reason,
      model,
      usage: { input_tokens, output_tokens },
      attempts: 1,
      provider_request_id: "req_fixture",
    });
    expect(record.duration_ms).toBeGreaterThanOrEqual(record.ttft_ms ?? 0);
  });
});

describe("a failure", () => {
  it.each([
    ["401", "provider_auth"],
    ["403", "provider_auth"],
    ["400", "provider_rejected"],
    ["404", "provider_rejected"],
    ["422", "provider_rejected"],
    ["429", "rate_limited"],
    ["503", "provider_overloaded"],
    ["529", "provider_overloaded"],
    ["500", "provider_error"],
    ["302", "refused_by_guard"],
    ["hello.truncated", "incomplete_stream"],
    ["hello.reset", "connection_lost"],
    ["hello.broken", "bad_chunk"],
  ])("%s is classified as %s in both formats, and does not leak the key", async (scene, code) => {
    for (const record of await ask([openai(scene), anthropic(scene)])) {
      expect(record).toMatchObject({ status: "error", finish_reason: "error", error: { code } });
      expect(JSON.stringify(record)).not.toContain("sk-testing");
      expect(record.predicted_result).toContain(record.error.message);
    }
  });

  it("does not leak a part of a key that the provider repeats, cut off or inside the stream", async () => {
    const token = `sk-${"long".repeat(400)}`;
    const inBand = `data: ${JSON.stringify({ error: { message: "Not with the key sk-inside-the-stream" } })}\n\n`;
    const [cut, inside] = await ask([
      { ...openai("401"), token },
      { ...openai(`chunk-${encodeURIComponent(inBand)}`), token: "sk-inside-the-stream" },
    ]);
    expect(cut.error.message).toMatch(/to the key Bearer \*+$/);
    expect(inside.error.message).toMatch(/Not with the key \*+/);
  });

  const good = '{"choices":[{"index":0,"delta":{"content":"a"}}]}';
  const written = (...chunks: string[]) =>
    openai(`chunk-${encodeURIComponent(chunks.map((chunk) => `data: ${chunk}\n\n`).join(""))}`);

  it.each([
    '{"choices":[{"delta":{"content":true}}]}',
    '{"choices":[{"delta":{"content":{"value":"x"}}}]}',
    '{"choices":[{"delta":{"content":[{"type":"text","text":{}}]}}]}',
    '{"choices":[{"delta":"x"}]}',
    '{"choices":[{"delta":{"content":"x"}}',
    "12",
    '{"choices":"x"}',
    '{"model":{}}',
  ])("comes from a chunk %s, even among valid ones", async (chunk) => {
    const [record] = await ask([written(good, chunk, "[DONE]")]);
    expect(record).toMatchObject({ status: "error", error: { code: "bad_chunk" }, partial_result: "a" });
  });

  it("does not come from a missing last blank line, an empty event, or a missing finish reason", async () => {
    const loose = openai(`chunk-${encodeURIComponent(`data:\n\ndata: ${good}\r\n\r\ndata: [DONE]`)}`);
    const [record] = await ask([loose]);
    expect(record).toMatchObject({ status: "ok", predicted_result: "a", finish_reason: "stop" });
  });

  it("keeps the text that came before it", async () => {
    const [record] = await ask([openai("hello.truncated")]);
    expect(record.partial_result).toMatch(/^Hello/);
    expect(record.predicted_result).not.toContain("Hello");
  });

  it("comes in time when the stream stalls", async () => {
    const [record] = await ask([{ ...openai("hello.stall"), params: { timeout_ms: 200 } }]);
    expect(record).toMatchObject({
      error: { code: "provider_timeout" },
      model: "gpt-4.1-2025-04-14",
      partial_result: expect.stringMatching(/^Hello/),
    });
    expect(record.duration_ms).toBeGreaterThanOrEqual(190);
  });

  it("is connection_lost when nobody listens at the address", async () => {
    const [record] = await ask([{ connector_type: "openai-connector", uri: "http://127.0.0.1:9" }]);
    expect(record.error.code).toBe("connection_lost");
  });

  it.each([
    ["comments", ": still here\n\n", "without an event"],
    ["a line without end", "data: {", "without an event"],
    ["half an event without end", "data: {}\n", "without an event"],
    ["events that say nothing", `data: {"choices":[],"padding":"${"x".repeat(1_500)}"}\n\n`, "larger than"],
  ])("is refused_by_guard when %s would never end, and the connection is closed", async (_, text, why) => {
    const provider = `endless${text.length}`;
    const uri = `${upstream}/${provider}/endless-${encodeURIComponent(text)}`;
    const [record] = await ask([{ connector_type: "openai-connector", uri }]);
    expect(record).toMatchObject({
      error: { code: "refused_by_guard", message: expect.stringContaining(why) },
      partial_result: null,
    });
    await expect.poll(async () => (await fetch(`${upstream}/open/${provider}`)).json()).toBe(0);
  });

  it("of one endpoint does not affect 31 others", async () => {
    const scenes = Array.from({ length: 32 }, (_, n) => openai(n === 5 ? "hello.reset" : "hello.slow"));
    const records = await ask(scenes);
    expect(records.map(({ status }: { status: string }) => status)).toEqual(
      scenes.map((_, n) => (n === 5 ? "error" : "ok")),
    );
    const mostInFlight = await (await fetch(`${upstream}/most-in-flight`)).json();
    expect(mostInFlight).toBeGreaterThan(6);
  });
});

describe("a request to a provider", () => {
  interface Received {
    path: string;
    headers: Record<string, string>;
    body: Record<string, unknown>;
  }

  /** The newest call to a provider. */
  async function received(provider: string): Promise<Received | undefined> {
    const answer = await fetch(`${upstream}/received/${provider}`);
    return (await answer.json<Received[]>())[0];
  }

  it("has what was asked for, in OpenAI's format", async () => {
    const params = { temperature: 0.25, top_p: "0.9", seed: 7, timeout_ms: 5000 };
    await ask([{ ...openai("hello"), params }], "Exactly this");
    const call = await received("openai");
    expect(call).toMatchObject({
      path: "/openai/hello/chat/completions",
      headers: { authorization: "Bearer sk-testing" },
    });
    expect(call?.body).toEqual({
      model: "the-model",
      messages: [{ role: "user", content: "Exactly this" }],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.25,
      top_p: "0.9",
      seed: 7,
    });
  });

  it("has what was asked for, in Anthropic's format, with system texts in their field", async () => {
    const endpointId = await createEndpoint({
      ...anthropic("hello"),
      token: "sk-ant",
      model: "claude",
      params: { max_tokens: 99 },
    });
    const chatbotId = await createChatbot({
      endpointId,
      systemPrompt: "Be kind",
      greeting: "Hello there",
      params: { temperature: 1 },
    });
    const id = await createSession({ chatbotId });
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: "And brief" } });
    await post(`/sessions/chat?sessionId=${id}`, { content: "Hi" });
    const call = await received("anthropic");
    expect(call).toMatchObject({
      path: "/anthropic/hello/v1/messages",
      headers: { "x-api-key": "sk-ant", "anthropic-version": "2023-06-01" },
    });
    expect(call?.body).toEqual({
      model: "claude",
      max_tokens: 99,
      temperature: 1,
      system: "Be kind\n\nAnd brief\n\nYou opened the conversation with this message:\n\nHello there",
      messages: [{ role: "user", content: "Hi" }],
      stream: true,
    });
  });

  it("has the newest messages, up to the chatbot's limit", async () => {
    const endpointId = await createEndpoint({ ...openai("hello"), model: "m", params: { alternate_roles: false } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId, historyLimit: 3 }) });
    for (const content of ["one", "two", "three"])
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });
    await post(`/sessions/chat?sessionId=${id}`, { content: "four" });
    const call = await received("openai");
    expect(call?.body["messages"]).toEqual(["two", "three", "four"].map((content) => ({ role: "user", content })));
  });

  it("alternates between user and assistant, unless a param switches that off", async () => {
    const endpointId = await createEndpoint({ ...openai("hello"), model: "m" });
    const id = await createSession({
      chatbotId: await createChatbot({ endpointId, systemPrompt: "Be kind", greeting: "Welcome" }),
    });
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "one" } });
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: "Be brief" } });
    await post(`/sessions/chat?sessionId=${id}`, { content: "two" });
    expect((await received("openai"))?.body["messages"]).toEqual([
      {
        role: "system",
        content: "Be kind\n\nBe brief\n\nYou opened the conversation with this message:\n\nWelcome",
      },
      { role: "user", content: "one\n\ntwo" },
    ]);
    const log = (await get(`/sessions/${id}`)).body.data.messages;
    expect(log.map(({ content }: { content: string }) => content)).toEqual([
      "Welcome",
      "one",
      "Be brief",
      "two",
      "Hello! How can I assist you today? 🎉",
    ]);
  });

  it("has the secret that the endpoint names", async () => {
    await ask([{ ...openai("hello"), token: "env:PROVIDER_TEST" }]);
    expect((await received("openai"))?.headers["authorization"]).toBe("Bearer secret-from-the-environment");
    const [record] = await ask([{ ...openai("hello"), token: "env:PROVIDER_UNSET" }]);
    expect(record).toMatchObject({
      error: { code: "provider_auth", message: expect.stringContaining("PROVIDER_UNSET") },
    });
  });

  it("has earlier prompts and replies as turns with chat_history, except failed ones", async () => {
    const id = await createEndpoint({ ...openai("hello"), model: "m" });
    const session = await createComparison([id], { context_strategy: "chat_history" });
    for (const prompt of ["one", "two"]) await post(`/v1/sessions/${session.session_id}/prompt`, { prompt });
    expect((await received("openai"))?.body["messages"]).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "Hello! How can I assist you today? 🎉" },
      { role: "user", content: "two" },
    ]);
  });
});

describe("a record", () => {
  const course = (scenes: string) => openai(`${scenes}@${crypto.randomUUID()}`);

  it("counts every call, and its receipt lists each", async () => {
    const id = await createEndpoint({ ...course("503,hello"), token: "sk-testing", model: "asked-for" });
    const session = await createComparison([id]);
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt?include=receipt`, { prompt: "Hi" });
    const [record] = body[session.chat_ids[0]];
    expect(record).toMatchObject({ status: "ok", attempts: 2, error: null });
    expect(record.receipt).toMatchObject({
      url: expect.stringMatching(/\/chat\/completions$/),
      model_asked: "asked-for",
      body_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      attempts: [{ error: { code: "provider_overloaded" }, provider_request_id: "req_refused" }, { error: null }],
    });
    expect(JSON.stringify(record)).not.toContain("sk-testing");
  });

  it("of a stopped reply has the number of calls that were made", async () => {
    const scene = course("429:long");
    const id = await createEndpoint({ ...scene, params: { timeout_ms: 600_000 } });
    const session = await createComparison([id]);
    const path = `/v1/sessions/${session.session_id}`;
    const prompt = post(`${path}/prompt?include=receipt`, { prompt: "Hi" });
    const calls = async () =>
      (await (await fetch(`${upstream}/received/openai`)).json<{ path: string }[]>()).filter((call) =>
        scene.uri.endsWith(call.path.replace("/chat/completions", "")),
      ).length;
    await expect.poll(calls, { timeout: 30_000 }).toBe(1);
    await post(`${path}/cancel`);
    const [record] = (await prompt).body[session.chat_ids[0]];
    expect(record).toMatchObject({ status: "cancelled", attempts: 1 });
    expect(record.receipt.attempts).toMatchObject([{ error: { code: "rate_limited" } }]);
  });

  it("of Workers AI without its binding explains that", async () => {
    const [record] = await ask([{ connector_type: "workers-ai-connector", model: "@cf/meta/llama" }]);
    expect(record).toMatchObject({ attempts: 0, error: { code: "provider_auth" } });
  });
});

it("continues a turn when the caller leaves", async () => {
  const endpointId = await createEndpoint({ params: { delay_ms: 100 } });
  const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
  const chat = post(`/sessions/chat?sessionId=${id}`, { content: "still there?" });
  await Promise.race([chat, new Promise((resolve) => setTimeout(resolve, 10))]);
  await expect.poll(async () => (await get(`/sessions/${id}`)).body.data.messages.length).toBe(2);
});
