import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { CALLS_PER_INVOCATION } from "../../../src/live/turns/call-endpoints.ts";
import { EndpointObject } from "../../../src/providers/limits/endpoint-object.ts";
import { ReplyCaller } from "../../../src/providers/call/reply-caller.ts";
import { get, post, put } from "../../support/api.ts";
import { aComparison, anEndpoint, unique } from "../../support/given.ts";

const upstream = inject("upstream");

afterEach(() => {
  vi.restoreAllMocks();
});

/** A provider of its own, so that what it sees is what a test does. */
const aProvider = () => unique("limited").replaceAll(" ", "-");

const anOpenAi = (provider: string, scene: string, fields: Record<string, unknown> = {}) =>
  anEndpoint({ connector_type: "openai-connector", uri: `${upstream}/${provider}/${scene}`, model: "m", ...fields });

const ask = async <T>(question: string): Promise<T> => (await fetch(`${upstream}/${question}`)).json();

/** Puts a prompt to a new session on one endpoint. @returns its record */
async function record(endpointId: string) {
  const { session_id: id } = await aComparison([endpointId]);
  const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
  return (Object.values(body)[0] as Record<string, ReturnType<typeof JSON.parse>>[])[0] ?? {};
}

/** When a provider was called, in milliseconds since 1970, the earliest call first. */
const callsOf = async (provider: string): Promise<number[]> =>
  (await ask<{ at: number }[]>(`received/${provider}`)).map(({ at }) => at).toReversed();

const patiently = { timeout: 50_000 };

/** Waits until so many calls are open at a provider. */
const untilOpen = (provider: string, count: number) =>
  vi.waitFor(async () => expect(await ask(`open/${provider}`)).toBe(count), patiently);

/** Waits until so many have come to endpoints' objects since this was called. */
function watchEntrances() {
  const enter = vi.spyOn(EndpointObject.prototype, "acquire");
  return (count: number) => vi.waitFor(() => expect(enter.mock.calls.length).toBeGreaterThanOrEqual(count), patiently);
}

/** A prompt under way in a session of its own. */
async function aPrompt(endpointId: string, times = 1) {
  const { session_id: id } = await aComparison(Array.from({ length: times }, () => endpointId));
  const answer = post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
  type Records = Record<string, ReturnType<typeof JSON.parse>>[];
  const records = answer.then(({ body }) => Object.values(body as Record<string, Records>).flat());
  return { records, cancel: () => post(`/v1/sessions/${id}/cancel`) };
}

const crash = (endpointId: string): Promise<void> =>
  runInDurableObject(env.ENDPOINTS.getByName(endpointId), (_, state) => state.abort("crash")).catch(() => undefined);

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

describe("an endpoint's max_concurrency", () => {
  it("holds across sessions: calls never overlap at the provider", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello.slow", { max_concurrency: 1 });
    const records = await many(4, () => record(endpointId));
    expect(await ask(`most/${provider}`)).toBe(1);
    expect(records.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
  });

  it("makes calls wait, as queue_ms tells and neither ttft_ms nor duration_ms", async () => {
    const endpointId = await anEndpoint({ max_concurrency: 1, params: { delay_ms: 1000 } });
    const started = Date.now();
    const records = await (await aPrompt(endpointId, 2)).records;
    const took = Date.now() - started;
    const [first, second] = records.toSorted((a, b) => a["queue_ms"] - b["queue_ms"]);
    expect(second?.["queue_ms"]).toBeGreaterThanOrEqual(300);
    // Both together are no longer than the whole prompt, so neither is counted in the other.
    expect(second?.["queue_ms"] + second?.["duration_ms"]).toBeLessThanOrEqual(took);
    for (const one of [first, second]) {
      expect(one?.["duration_ms"]).toBeGreaterThanOrEqual(900);
      expect(one?.["ttft_ms"]).toBeLessThanOrEqual(one?.["duration_ms"]);
    }
  });

  it("is in nobody's way elsewhere: other endpoints of the session answer at once", async () => {
    const provider = aProvider();
    const held = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const first = await aComparison([held]);
    const busy = post(`/v1/sessions/${first.session_id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await ask(`open/${provider}`)).toBe(1), patiently);
    const second = await aComparison([held, await anEndpoint()]);
    const waiting = post(`/v1/sessions/${second.session_id}/prompt`, { prompt: "Hello" });
    await vi.waitFor(async () => {
      const { body } = await get(`/v1/sessions/${second.session_id}?include_history=true`);
      expect(body.session.chat_history[second.chat_ids[1]]).toMatchObject([{ predicted_result: "Hello" }]);
    }, patiently);
    // Who stops while waiting gives its place up, and was never sent.
    await post(`/v1/sessions/${second.session_id}/cancel`);
    const [stopped] = (await waiting).body[second.chat_ids[0]];
    expect(stopped).toMatchObject({ status: "cancelled", attempts: 0, ttft_ms: null, duration_ms: 0 });
    await post(`/v1/sessions/${first.session_id}/cancel`);
    await busy;
    expect(await ask(`received/${provider}`)).toHaveLength(1);
  });

  it("that is changed holds for those who come later", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello.slow", { max_concurrency: 1 });
    await many(2, () => record(endpointId));
    expect(await ask(`most/${provider}`)).toBe(1);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 3, uri: `${upstream}/${provider}/gather-3` });
    await many(3, () => record(endpointId));
    expect(await ask(`most/${provider}`)).toBe(3);
  });

  it("that is changed holds for those who wait already, and none is no limit at once", async () => {
    const provider = aProvider();
    const entered = watchEntrances();
    const endpointId = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const prompts = [await aPrompt(endpointId)];
    await untilOpen(provider, 1);
    prompts.push(await aPrompt(endpointId));
    await entered(2);
    expect(await ask(`open/${provider}`)).toBe(1);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 2 });
    prompts.push(await aPrompt(endpointId));
    await entered(3);
    await untilOpen(provider, 2);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 0 });
    prompts.push(await aPrompt(endpointId));
    await untilOpen(provider, 3);
    await Promise.all(prompts.map(({ cancel }) => cancel()));
    const records = (await Promise.all(prompts.map((prompt) => prompt.records))).flat();
    expect(records.map(({ attempts }) => attempts as number)).toEqual([1, 1, 0, 1]);
    expect(await ask(`most/${provider}`)).toBe(3);
  });

  it("goes to the next in line when a call is stopped, not to who was stopped while waiting", async () => {
    const provider = aProvider();
    const entered = watchEntrances();
    const endpointId = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const inside = await aPrompt(endpointId);
    await untilOpen(provider, 1);
    await put(`/v1/llm_endpoints/${endpointId}`, { uri: `${upstream}/${provider}/hello` });
    const impatient = await aPrompt(endpointId);
    await entered(2);
    const next = await aPrompt(endpointId);
    await entered(3);
    await impatient.cancel();
    expect(await impatient.records).toMatchObject([{ status: "cancelled", attempts: 0 }]);
    await inside.cancel();
    expect(await inside.records).toMatchObject([{ status: "cancelled", attempts: 1 }]);
    expect(await next.records).toMatchObject([{ status: "ok", attempts: 1 }]);
    expect(await callsOf(provider)).toHaveLength(2);
  });

  it("fails who would wait for longer than a reply may take, by its own name and without a call", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const { session_id: id } = await aComparison([endpointId]);
    const busy = post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await ask(`open/${provider}`)).toBe(1), patiently);
    await put(`/v1/llm_endpoints/${endpointId}`, { params: { timeout_ms: 300 } });
    const late = await record(endpointId);
    expect(late).toMatchObject({ status: "error", error: { code: "rate_limited" }, attempts: 0 });
    expect(late["error"].message).toMatch(/max_concurrency/);
    expect(late["queue_ms"]).toBeGreaterThanOrEqual(250);
    await post(`/v1/sessions/${id}/cancel`);
    await busy;
  });
});

describe("an endpoint's max_calls_per_second", () => {
  it("holds across prompts: of eleven calls at five a second the last begins after two seconds", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello", { max_calls_per_second: "5" });
    const started = Date.now();
    const prompts = [await aPrompt(endpointId, 6), await aPrompt(endpointId, 5)];
    const records = (await Promise.all(prompts.map((prompt) => prompt.records))).flat();
    expect(records.filter(({ status }) => status === "ok")).toHaveLength(11);
    const calls = await callsOf(provider);
    expect(calls[5]).toBeGreaterThanOrEqual(started + 1000);
    expect(calls[10]).toBeGreaterThanOrEqual(started + 2000);
  });
});

describe("a provider's 429", () => {
  it("keeps everybody away for as long as it asks", async () => {
    const provider = aProvider();
    // It refuses the first call, for a second, and answers every other.
    const scene = `429:seconds,hello@${provider}`;
    // One at a time: the second call waits for word of how the first one ended.
    const endpointId = await anOpenAi(provider, scene, { max_concurrency: 1, params: { max_attempts: 1 } });
    expect(await record(endpointId)).toMatchObject({ status: "error", error: { code: "rate_limited" } });
    expect(await record(endpointId)).toMatchObject({ status: "ok", attempts: 1 });
    const [refused = NaN, answered] = await callsOf(provider);
    expect(answered).toBeGreaterThanOrEqual(refused + 1000);
  });

  it("fails at once who could not wait that long, and says for how long it asks", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "429:long", { max_concurrency: 1, params: { max_attempts: 1 } });
    await record(endpointId);
    const after = await record(endpointId);
    expect(after).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
    expect(after["error"].message).toMatch(/another [45]\d\d s/);
    expect(await ask(`received/${provider}`)).toHaveLength(1);
  });
});

describe("an endpoint's object", () => {
  it("is not asked where there are no limits", async () => {
    const asked = vi.spyOn(env.ENDPOINTS, "getByName");
    expect(await record(await anOpenAi(aProvider(), "hello"))).toMatchObject({ status: "ok", queue_ms: 0 });
    expect(asked).not.toHaveBeenCalled();
  });

  it("that cannot be reached loses no prompt", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    vi.spyOn(env.ENDPOINTS, "getByName").mockReturnValue({
      enter: () => Promise.reject(new Error("down")),
      leave: () => Promise.reject(new Error("down")),
    } as never);
    const endpointId = await anOpenAi(aProvider(), "hello", { max_concurrency: 1 });
    expect(await record(endpointId)).toMatchObject({ status: "ok", attempts: 1 });
  });

  it("remembers in its next life for how long a provider wants quiet", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "429:long", { max_concurrency: 1, params: { max_attempts: 1 } });
    const leave = vi.spyOn(EndpointObject.prototype, "release");
    await record(endpointId);
    await vi.waitFor(() => expect(leave.mock.settledResults[0]?.type).toBe("fulfilled"), patiently);
    await crash(endpointId);
    expect(await record(endpointId)).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
    expect(await callsOf(provider)).toHaveLength(1);
  });

  it("remembers in its next life who is inside, and takes those in again who were waiting", async () => {
    const provider = aProvider();
    const entered = watchEntrances();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const endpointId = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const inside = await aPrompt(endpointId);
    await untilOpen(provider, 1);
    await put(`/v1/llm_endpoints/${endpointId}`, { uri: `${upstream}/${provider}/hello` });
    const waiting = await aPrompt(endpointId);
    await entered(2);
    await crash(endpointId);
    await entered(3);
    // Time enough for a call that was let in too early to be seen.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await callsOf(provider)).toHaveLength(1);
    await inside.cancel();
    expect(await waiting.records).toMatchObject([{ status: "ok", attempts: 1 }]);
    await inside.records;
  });
});

describe("64 endpoints", () => {
  it("are asked at once, and no invocation has more than five calls waiting", async () => {
    const invocations = vi.spyOn(ReplyCaller.prototype, "callAll");
    const provider = aProvider();
    // It answers nobody until all have asked: were they asked in turns, all would fail.
    const endpointId = await anOpenAi(provider, "gather-64", { params: { timeout_ms: 30_000, max_attempts: 1 } });
    const session = await aComparison(Array.from({ length: 64 }, () => endpointId));
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hi" });
    const records = Object.values(body as Record<string, { status: string }[]>).flat();
    expect(records.filter(({ status }) => status === "ok")).toHaveLength(64);
    expect(await ask(`most/${provider}`)).toBe(64);
    const sizes = invocations.mock.calls.map(([requests]) => requests.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(64);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(CALLS_PER_INVOCATION);
    expect(CALLS_PER_INVOCATION).toBeLessThanOrEqual(5);
  });
});
