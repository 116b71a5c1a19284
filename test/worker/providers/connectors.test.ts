/** Every connector type against recorded answers and faults, the same tests for each. */
import { describe, expect, inject, it } from "vitest";
import { CONNECTOR_TYPES } from "../../../src/core/endpoint.ts";
import { FIXTURES, KEY, makeRequest, callProvider } from "../../support/connectors.ts";

const upstream = inject("upstream");

const recorded = CONNECTOR_TYPES.filter((type) => FIXTURES[type] !== null);

/** The recorded greeting of each vendor: text, input tokens, output tokens. */
const HELLO = {
  openai: ["Hello! How can I assist you today? 🎉", 19, 10],
  azure: ["Hello from the other side 🎉", 21, 9],
  together: ["Hello there, friend 🎉", 36, 8],
  anthropic: ["Hello! Nice to meet you 🎉", 25, 15],
  gemini: ["Hello! What is on your mind 🎉?", 12, 9],
  "workers-ai": ["Hello number 7 🎉", 17, 6],
} as const;

/** How the error in each vendor's recorded stream is classified. */
const IN_BAND = {
  openai: "provider_error",
  azure: "provider_error",
  together: "provider_error",
  anthropic: "provider_overloaded",
  gemini: "provider_overloaded",
  "workers-ai": "provider_error",
} as const;

/** Without retries. */
const once = { params: JSON.stringify({ max_attempts: 1 }) };

describe.each(recorded)("an endpoint of type %s", (type) => {
  const folder = FIXTURES[type] ?? "openai";

  it.each(["hello", "hello.slow"])("is read to its end (%s)", async (scene) => {
    const [text, inputTokens, outputTokens] = HELLO[folder];
    const reply = await callProvider(makeRequest(type, scene));
    expect(reply.text).toBe(text);
    expect(reply.last).toMatchObject({ type: "end", finishReason: "stop", usage: { inputTokens, outputTokens } });
    expect(reply.last.metrics).toMatchObject({ calls: 1, queueMs: 0 });
    expect(reply.last.metrics.ttftMs).toBeLessThanOrEqual(reply.last.metrics.durationMs);
  });

  it("reports a reply that ended by its limit or a filter", async () => {
    const [limited, filtered] = [
      await callProvider(makeRequest(type, "length")),
      await callProvider(makeRequest(type, "filtered")),
    ];
    expect([limited.text, limited.last]).toMatchObject(["Once upon a", { type: "end", finishReason: "length" }]);
    expect(filtered.last).toMatchObject({ type: "end", finishReason: "content_filter" });
  });

  it.each([
    ["hello.truncated", "incomplete_stream", "Hel"],
    ["hello.reset", "connection_lost", ""],
    ["hello.broken", "bad_chunk", "Hel"],
    ["json", "provider_error", ""],
    ["html", "bad_chunk", ""],
  ])("that fails as in %s is classified as %s", async (scene, code, begin) => {
    // The Workers AI binding returns a stream or throws, so it has no answers of another type.
    if (type === "workers-ai-connector" && ["json", "html"].includes(scene)) return;
    const { text, last } = await callProvider(makeRequest(type, scene, once));
    expect(last).toMatchObject({ type: "failed", code });
    expect(text).toMatch(new RegExp(`^${begin}`));
    expect(last.metrics.calls).toBe(1);
  });

  it("that reports an error in its stream is classified by the error", async () => {
    const { text, last } = await callProvider(makeRequest(type, "in-band-error", once));
    expect([text, last]).toMatchObject(["Hel", { type: "failed", code: IN_BAND[folder] }]);
  });

  it.each([
    ["hello.mute", "first_token_ms"],
    ["hello.silent", "first_token_ms"],
    ["hello.stall", "idle_ms"],
    ["hello.mute", "timeout_ms"],
    ["hello.stall", "timeout_ms"],
  ])("that stops sending (%s) is given up by %s", async (scene, limit) => {
    const { last } = await callProvider(
      makeRequest(type, scene, { params: JSON.stringify({ [limit]: "150", max_attempts: 3 }) }),
    );
    expect(last).toMatchObject({ code: "provider_timeout", message: expect.stringContaining(`(${limit})`) });
    expect(last.metrics.calls).toBe(1);
    expect(last.metrics.durationMs).toBeGreaterThanOrEqual(140);
  });

  it("that is stopped ends as cancelled, and the provider's connection is closed", async () => {
    const stop = new AbortController();
    const open = async (): Promise<number> => (await fetch(`${upstream}/open/${folder}`)).json();
    const asked = callProvider(makeRequest(type, "hello.stall"), { stop: stop.signal });
    await expect.poll(open, { timeout: 30_000 }).toBeGreaterThan(0);
    stop.abort();
    expect((await asked).last).toMatchObject({ code: "cancelled", metrics: { calls: 1 } });
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
  });

  it("that fails or is stopped has the model that it named before", async () => {
    const { last: whole } = await callProvider(makeRequest(type, "hello"));
    const model = whole.type === "end" && whole.model !== null ? whole.model : undefined;
    // The recorded answers of Workers AI name no model.
    expect(model).toEqual(type === "workers-ai-connector" ? undefined : expect.any(String));
    // It begins with the first text.
    const short = { params: JSON.stringify({ max_attempts: 1, idle_ms: 150 }) };
    const faults = ["hello.truncated", "hello.broken", "hello.reset", "hello.stall"];
    const failed = await Promise.all(faults.map((scene) => callProvider(makeRequest(type, scene, short))));
    const stop = new AbortController();
    const onEvents = () => stop.abort();
    const stopped = await callProvider(makeRequest(type, "hello.stall"), { stop: stop.signal, onEvents });
    for (const { last } of [...failed, stopped]) {
      expect(last).toMatchObject({ type: "failed" });
      expect(last.model ?? undefined).toBe(model);
    }
  });

  it("that fails with a status is classified by it, does not leak the key, and is retried only where that may help", async () => {
    const refusals = [
      [400, "provider_rejected", 1],
      [403, "provider_auth", 1],
      [408, "provider_rejected", 2],
      [429, "rate_limited", 2],
      [500, "provider_error", 2],
    ] as const;
    for (const [status, code, calls] of refusals) {
      const { last } = await callProvider(makeRequest(type, `${status}`));
      expect([status, last]).toMatchObject([status, { code, metrics: { calls } }]);
      expect(JSON.stringify(last)).not.toContain(KEY);
    }
  });

  it("has a receipt of what was sent", async () => {
    const { last } = await callProvider(makeRequest(type, "hello", { params: '{"temperature":0.5,"max_attempts":1}' }));
    const receipt = last.metrics.receipt;
    expect(receipt).toMatchObject({
      connectorType: type,
      params: '{"temperature":0.5,"max_attempts":1}',
      body: expect.stringContaining('"temperature":0.5'),
      bodySha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      attempts: [{ error: null, durationMs: expect.any(Number) }],
    });
    expect(receipt?.body).not.toContain("max_attempts");
  });
});

describe.each(["echo-connector", "eliza-connector"] as const)("an endpoint of type %s", (type) => {
  it("replies without a provider, and its receipt shows that", async () => {
    const { text, last } = await callProvider(makeRequest(type, "hello"));
    expect(text).not.toBe("");
    expect(last).toMatchObject({ type: "end", metrics: { calls: 1 } });
    expect(last.metrics.receipt).toMatchObject({ url: null, body: null, bodySha256: null });
  });

  it("respects limits and stops like any other", async () => {
    const slow = { params: JSON.stringify({ tokens_per_second: 1, timeout_ms: 80 }) };
    expect((await callProvider(makeRequest(type, "hello", slow))).last).toMatchObject({ code: "provider_timeout" });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    const forever = { params: JSON.stringify({ tokens_per_second: 0.01 }) };
    expect((await callProvider(makeRequest(type, "hello", forever), { stop: stop.signal })).last.type).toBe("failed");
  });
});

describe("special cases of vendors", () => {
  it("a prompt that a filter blocks is an answer, from Azure and from Gemini", async () => {
    const azure = await callProvider(makeRequest("azure-openai-connector", "filtered-prompt"));
    const gemini = await callProvider(makeRequest("google-gemini-connector", "filtered-prompt"));
    for (const { last } of [azure, gemini]) expect(last).toMatchObject({ type: "end", finishReason: "content_filter" });
  });

  it("Gemini's thoughts count as tokens but are not text, and text after a finish reason is kept", async () => {
    const thoughts = await callProvider(makeRequest("google-gemini-connector", "thoughts"));
    expect([thoughts.text, thoughts.last]).toMatchObject(["Hello!", { usage: { inputTokens: 12, outputTokens: 26 } }]);
    expect((await callProvider(makeRequest("google-gemini-connector", "two-ends"))).text).toBe("One two");
  });

  it("an unknown finish reason of Gemini is a failure that names it", async () => {
    const { text, last } = await callProvider(makeRequest("google-gemini-connector", "malformed"));
    expect([text, last]).toMatchObject([
      "Hel",
      { code: "provider_error", message: expect.stringMatching(/MALFORMED_/) },
    ]);
  });

  it("Workers AI without its binding fails with an explanation, and no call is counted", async () => {
    const { last } = await callProvider(makeRequest("workers-ai-connector", "hello"), {
      providerEnv: { ai: undefined, allowPrivateUrls: true },
    });
    expect(last).toMatchObject({ code: "provider_auth", message: expect.stringContaining("AI binding") });
    expect(last.metrics).toMatchObject({ calls: 0, receipt: null });
  });
});

describe("a request", () => {
  const sent = async (...[type, scene, fields]: Parameters<typeof makeRequest>) => {
    const { receipt } = (await callProvider(makeRequest(type, scene, fields))).last.metrics;
    return { url: receipt?.url?.replace(upstream, ""), body: JSON.parse(receipt?.body ?? "null"), receipt };
  };
  const system = { role: "system" as const, content: "Be brief" };
  const user = { role: "user" as const, content: "Hi" };

  it.each([
    ["hello", "/azure/hello/openai/deployments/the-model/chat/completions?api-version=2024-10-21"],
    ["hello/openai/", "/azure/hello/openai/deployments/the-model/chat/completions?api-version=2024-10-21"],
    ["hello/openai/deployments/mine", "/azure/hello/openai/deployments/mine/chat/completions?api-version=2024-10-21"],
    ["hello/openai/v1", "/azure/hello/openai/v1/chat/completions"],
  ])("to Azure at %s has the path of that address form", async (scene, url) => {
    const plain = await sent("azure-openai-connector", scene);
    expect(plain.url).toBe(url);
    expect(plain.body).toMatchObject({ model: "the-model" });
    const dated = await sent("azure-openai-connector", scene, { params: '{"api_version":"2025-01-01-preview"}' });
    expect(dated.url).toBe(`${url.split("?")[0]}?api-version=2025-01-01-preview`);
    expect(dated.body).not.toHaveProperty("api_version");
  });

  it("to Gemini has every param: generation params in their place, in either spelling, and all others beside it", async () => {
    const params = {
      temperature: 0.5,
      top_p: 0.9,
      thinkingConfig: { thinkingBudget: 0 },
      generationConfig: { seed: 7 },
      safetySettings: [],
      whatever: "new",
    };
    const { body } = await sent("google-gemini-connector", "hello", { params: JSON.stringify(params) });
    expect(body).toEqual({
      contents: [{ role: "user", parts: [{ text: "Hi" }] }],
      generationConfig: { seed: 7, temperature: 0.5, top_p: 0.9, thinkingConfig: { thinkingBudget: 0 } },
      safetySettings: [],
      whatever: "new",
    });
    const snakeCased = JSON.stringify({ top_p: 0.9, generation_config: { top_p: 0.1, seed: 7 } });
    const other = await sent("google-gemini-connector", "hello", { params: snakeCased });
    expect(other.body).toMatchObject({ generationConfig: { seed: 7, top_p: 0.9 } });
    expect(other.body).not.toHaveProperty("generation_config");
  });

  it("has the system texts of the params and of the conversation", async () => {
    const messages = [system, user];
    const blocks = [{ type: "text", text: "Be kind", cache_control: { type: "ephemeral" } }];
    const asText = await sent("anthropic-connector", "hello", { messages, params: '{"system":"Be kind"}' });
    const asBlocks = await sent("anthropic-connector", "hello", {
      messages,
      params: JSON.stringify({ system: blocks }),
    });
    const given = JSON.stringify({ systemInstruction: { parts: [{ text: "Be kind" }] } });
    const gemini = await sent("google-gemini-connector", "hello", { messages, params: given });
    expect(asText.body.system).toBe("Be kind\n\nBe brief");
    expect(asBlocks.body.system).toEqual([...blocks, { type: "text", text: "Be brief" }]);
    expect(gemini.body.systemInstruction).toEqual({ parts: [{ text: "Be kind" }, { text: "Be brief" }] });
  });

  it.each(["openai-connector", "anthropic-connector"] as const)("has the model of the params (%s)", async (type) => {
    const { body, receipt } = await sent(type, "hello", { params: '{"model":"another"}' });
    expect([body.model, receipt?.modelAsked]).toEqual(["another", "another"]);
  });
});
