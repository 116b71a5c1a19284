/** How an endpoint's params are read: what goes to the provider, and what controls the call. */
import { describe, expect, it } from "vitest";
import { mergeParams, readCallParams } from "../../../src/core/call-params.ts";
import { overriddenPins } from "../../../src/core/param-names.ts";

const read = (params: object, attempts?: number) => readCallParams(JSON.stringify(params), attempts);

describe("an endpoint's params", () => {
  it("are sent to the provider, except those that control the call", () => {
    const steering = { timeout_ms: 1, first_token_ms: 1, idle_ms: 1, max_attempts: 1, alternate_roles: false };
    const moonshots = {
      timeout: 1,
      allow_retries: true,
      num_of_retries: 1,
      pre_prompt: "a",
      post_prompt: "b",
      system_prompt: "c",
    };
    const sent = { temperature: 0.5, stream_options: null, top_p: "0.9" };
    expect(read({ ...steering, ...sent, ...moonshots }).providerParams).toEqual(sent);
  });

  it("are accepted under Moonshot's names, and Parley's own names take precedence", () => {
    expect(read({ timeout: 300 }).limits.timeoutMs).toBe(300_000);
    expect(read({ timeout: "2.5" }).limits.timeoutMs).toBe(2_500);
    expect(read({ timeout: 300, timeout_ms: 70 }).limits.timeoutMs).toBe(70);
    expect(read({ timeout: 86_400 }).limits.timeoutMs).toBe(600_000);
    expect(read({ num_of_retries: 3, allow_retries: true }).limits.maxAttempts).toBe(4);
    expect(read({ num_of_retries: "3", allow_retries: "False" }).limits.maxAttempts).toBe(1);
    expect(read({ num_of_retries: 500 }).limits.maxAttempts).toBe(10);
    expect(read({ num_of_retries: 3, max_attempts: 5 }).limits.maxAttempts).toBe(5);
    expect(read({ timeout_ms: 9e9, max_attempts: 1e6 }).limits).toMatchObject({ timeoutMs: 600_000, maxAttempts: 10 });
    const { wrapper: frame } = read({ pre_prompt: "<s>", post_prompt: "</s>", system_prompt: "Judge" });
    expect(frame).toEqual({ system: "Judge", before: "<s>", after: "</s>" });
  });

  it("have defaults when they are missing or null", () => {
    const defaults = { timeoutMs: 120_000, firstTokenMs: null, idleMs: null, maxAttempts: 1 };
    expect(read({}, 1)).toMatchObject({ limits: defaults, alternateRoles: null });
    expect(read({ timeout: null, timeout_ms: null, max_attempts: null, alternate_roles: null }, 1).limits).toEqual(
      defaults,
    );
  });

  it("set whether roles alternate, as a boolean or as text", () => {
    expect(read({ alternate_roles: "false" }).alternateRoles).toBe(false);
    expect(read({ alternate_roles: true }).alternateRoles).toBe(true);
  });
});

describe("a pinned model", () => {
  it.each(["model", "models"])("pins all names by which a server chooses a model: %s", (pin) => {
    const names = ["model", "models", "modelId", "model_id", "engine", "deployment", "fallbacks", "route", "preset"];
    const overrides = Object.fromEntries([...names, "providerOptions", "temperature"].map((name) => [name, "x"]));
    expect(overriddenPins(overrides, [pin])).toEqual([...names, "providerOptions"]);
  });
});

describe("pinned params", () => {
  const params = { model: "small", timeout_ms: 1_000, top_p: 1 };
  const merge = (overrides: object, pinned: string[]) =>
    JSON.parse(mergeParams(JSON.stringify(params), JSON.stringify(overrides), pinned));

  it("keep their value, or stay unset, and all others are overridden", () => {
    const overrides = { model: "large", top_p: 0.5, seed: 1 };
    expect(merge(overrides, [])).toEqual({ ...params, ...overrides });
    expect(merge(overrides, ["model", "seed"])).toEqual({ ...params, top_p: 0.5 });
    expect(merge({ model: null }, ["model"])).toEqual(params);
    expect(overriddenPins(overrides, ["seed", "model", "max_tokens"])).toEqual(["model", "seed"]);
  });

  it.each([
    ["timeout_ms", { timeout: 600 }],
    ["timeout", { timeout_ms: 600_000 }],
    ["max_attempts", { num_of_retries: 9, allow_retries: true }],
    ["num_of_retries", { max_attempts: 10 }],
    ["max_tokens", { max_completion_tokens: 9 }],
    ["max_completion_tokens", { max_tokens: 9 }],
    ["maxOutputTokens", { max_output_tokens: 9, generationConfig: { maxOutputTokens: 9 } }],
    ["top_k", { topK: 9, generation_config: { topK: 9 } }],
    ["generationConfig", { maxOutputTokens: 9, max_output_tokens: 9, temperature: 2, generation_config: {} }],
    ["generation_config", { maxOutputTokens: 9, thinking_config: {}, _responseJsonSchema: {}, generationConfig: {} }],
  ])("hold %s under its other names too: %j", (name, overrides) => {
    expect(overriddenPins(overrides, [name])).toEqual(Object.keys(overrides));
    expect(merge(overrides, [name])).toEqual(params);
  });

  it("leave other fields of Gemini's generation free", () => {
    expect(overriddenPins({ topK: 1, top_p: 1, safetySettings: [] }, ["maxOutputTokens"])).toEqual([]);
  });

  it("may have any name", () => {
    expect(overriddenPins({ constructor: 1, temperature: 1 }, ["toString", "__proto__"])).toEqual([]);
    expect(overriddenPins(JSON.parse('{"__proto__": 1, "constructor": 1}'), ["__proto__"])).toEqual(["__proto__"]);
  });
});
