import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { CALLS_PER_INVOCATION } from "../../src/live/ask-endpoints.ts";
import { ReplyCaller } from "../../src/providers/reply-caller.ts";
import { get, post, put } from "../support/api.ts";
import { aComparison, anEndpoint, unique } from "../support/given.ts";

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

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

describe("an endpoint's max_concurrency", () => {
  it("holds across sessions: calls never overlap at the provider, and each says how long it waited", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello.slow", { max_concurrency: 1 });
    const records = await many(4, () => record(endpointId));
    expect(await ask(`most/${provider}`)).toBe(1);
    expect(records.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
    const waits = records.map(({ queue_ms }) => queue_ms as number).toSorted((a, b) => a - b);
    // Each slow answer takes 30 ms at least, and the last waited for three.
    expect(waits[3]).toBeGreaterThanOrEqual(80);
    expect(waits[0]).toBeLessThan(waits[3] ?? 0);
  });

  it("is in nobody's way elsewhere: other endpoints of the session answer at once", async () => {
    const provider = aProvider();
    const held = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const first = await aComparison([held]);
    const busy = post(`/v1/sessions/${first.session_id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await ask(`open/${provider}`)).toBe(1), { timeout: 20_000 });
    const second = await aComparison([held, await anEndpoint()]);
    const waiting = post(`/v1/sessions/${second.session_id}/prompt`, { prompt: "Hello" });
    await vi.waitFor(
      async () => {
        const { body } = await get(`/v1/sessions/${second.session_id}?include_history=true`);
        expect(body.session.chat_history[second.chat_ids[1]]).toMatchObject([{ predicted_result: "Hello" }]);
      },
      { timeout: 20_000 },
    );
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

  it("fails who would wait for longer than a reply may take, by its own name and without a call", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello.silent", { max_concurrency: 1, params: { timeout_ms: 60_000 } });
    const { session_id: id } = await aComparison([endpointId]);
    const busy = post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await ask(`open/${provider}`)).toBe(1), { timeout: 20_000 });
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
  it("holds across prompts: the third call of two a second begins a second after the first", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "hello", { max_calls_per_second: "2" });
    const records = await many(3, () => record(endpointId));
    const waits = records.map(({ queue_ms }) => queue_ms as number).toSorted((a, b) => a - b);
    expect(waits[2]).toBeGreaterThanOrEqual(700);
    for (const { ttft_ms, duration_ms, queue_ms } of records) {
      if (queue_ms >= 700) expect(Math.max(ttft_ms, duration_ms)).toBeLessThan(queue_ms);
    }
  });
});

describe("a provider's 429", () => {
  it("keeps everybody away for as long as it asks", async () => {
    const provider = aProvider();
    // It refuses the first call, for a second, and answers every other.
    const scene = `429:seconds,hello@${provider}`;
    const endpointId = await anOpenAi(provider, scene, { max_concurrency: 9, params: { max_attempts: 1 } });
    expect(await record(endpointId)).toMatchObject({ status: "error", error: { code: "rate_limited" } });
    const after = await record(endpointId);
    expect(after).toMatchObject({ status: "ok" });
    expect(after["queue_ms"]).toBeGreaterThanOrEqual(500);
  });

  it("fails at once who could not wait that long, and says for how long it asks", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "429:long", { max_concurrency: 9, params: { max_attempts: 1 } });
    await record(endpointId);
    const after = await record(endpointId);
    expect(after).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
    expect(after["error"].message).toMatch(/another (69\d|700) s/);
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

  it("remembers in its next life who is inside, and for how long a provider wants quiet", async () => {
    const provider = aProvider();
    const endpointId = await anOpenAi(provider, "429:long", { max_concurrency: 1, params: { max_attempts: 1 } });
    await record(endpointId);
    await runInDurableObject(env.ENDPOINTS.getByName(endpointId), (_, state) => state.abort("crash")).catch(
      () => undefined,
    );
    expect(await record(endpointId)).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
  });
});

describe("64 endpoints", () => {
  it("are asked at once, and no invocation has more than five calls waiting", async () => {
    const invocations = vi.spyOn(ReplyCaller.prototype, "ask");
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
