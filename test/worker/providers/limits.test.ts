/** Limits of endpoints across sessions, over HTTP and with endpoint objects that crash. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { CALLS_PER_INVOCATION } from "../../../src/live/turns/call-endpoints.ts";
import { EndpointObject } from "../../../src/providers/limits/endpoint-object.ts";
import { ReplyCaller } from "../../../src/providers/call/reply-caller.ts";
import { get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, unique } from "../../support/create.ts";

const upstream = inject("upstream");

afterEach(() => {
  vi.restoreAllMocks();
});

/** A provider of its own for each test. */
const newProvider = () => unique("limited").replaceAll(" ", "-");

const createOpenAiEndpoint = (provider: string, scene: string, fields: Record<string, unknown> = {}) =>
  createEndpoint({
    connector_type: "openai-connector",
    uri: `${upstream}/${provider}/${scene}`,
    model: "m",
    ...fields,
  });

const askUpstream = async <T>(question: string): Promise<T> => (await fetch(`${upstream}/${question}`)).json();

/** Submits a prompt to a new session with one endpoint. @returns its record */
async function submitPrompt(endpointId: string) {
  const { session_id: id } = await createComparison([endpointId]);
  const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
  return (Object.values(body)[0] as Record<string, ReturnType<typeof JSON.parse>>[])[0] ?? {};
}

/** When a provider was called, in order. */
const callsOf = async (provider: string): Promise<number[]> =>
  (await askUpstream<{ at: number }[]>(`received/${provider}`)).map(({ at }) => at).toReversed();

const LONG_TIMEOUT = { timeout: 50_000 };

/** Waits until a provider has so many open calls. */
const untilOpen = (provider: string, count: number) =>
  vi.waitFor(async () => expect(await askUpstream(`open/${provider}`)).toBe(count), LONG_TIMEOUT);

/** Counts the slots that endpoint objects were asked for. @returns waits for a count */
function countSlotRequests() {
  const enter = vi.spyOn(EndpointObject.prototype, "acquire");
  return (count: number) =>
    vi.waitFor(() => expect(enter.mock.calls.length).toBeGreaterThanOrEqual(count), LONG_TIMEOUT);
}

/** Submits a prompt to a new session, without waiting for its end. */
async function startPrompt(endpointId: string, times = 1) {
  const { session_id: id } = await createComparison(Array.from({ length: times }, () => endpointId));
  const answer = post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
  type Records = Record<string, ReturnType<typeof JSON.parse>>[];
  const records = answer.then(({ body }) => Object.values(body as Record<string, Records>).flat());
  return { id: String(id), records, cancel: () => post(`/v1/sessions/${id}/cancel`) };
}

const crash = (endpointId: string): Promise<void> =>
  runInDurableObject(env.ENDPOINTS.getByName(endpointId), (_, state) => state.abort("crash")).catch(() => undefined);

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

describe("an endpoint's max_concurrency", () => {
  it("holds across sessions: calls never overlap at the provider", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "hello.slow", { max_concurrency: 1 });
    const records = await many(4, () => submitPrompt(endpointId));
    expect(await askUpstream(`most/${provider}`)).toBe(1);
    expect(records.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
  });

  it("makes calls wait, which counts in queue_ms and not in ttft_ms or duration_ms", async () => {
    const endpointId = await createEndpoint({ max_concurrency: 1, params: { delay_ms: 1000 } });
    const started = Date.now();
    const records = await (await startPrompt(endpointId, 2)).records;
    const totalMs = Date.now() - started;
    const [first, second] = records.toSorted((a, b) => a["queue_ms"] - b["queue_ms"]);
    expect(second?.["queue_ms"]).toBeGreaterThanOrEqual(300);
    // The sum is not longer than the whole prompt, so neither is part of the other.
    expect(second?.["queue_ms"] + second?.["duration_ms"]).toBeLessThanOrEqual(totalMs);
    for (const one of [first, second]) {
      expect(one?.["duration_ms"]).toBeGreaterThanOrEqual(900);
      expect(one?.["ttft_ms"]).toBeLessThanOrEqual(one?.["duration_ms"]);
    }
  });

  it("does not delay other endpoints of the session", async () => {
    const provider = newProvider();
    const limited = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: 1,
      params: { timeout_ms: 60_000 },
    });
    const first = await createComparison([limited]);
    const busy = post(`/v1/sessions/${first.session_id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await askUpstream(`open/${provider}`)).toBe(1), LONG_TIMEOUT);
    const second = await createComparison([limited, await createEndpoint()]);
    const waiting = post(`/v1/sessions/${second.session_id}/prompt`, { prompt: "Hello" });
    await vi.waitFor(async () => {
      const { body } = await get(`/v1/sessions/${second.session_id}?include_history=true`);
      expect(body.session.chat_history[second.chat_ids[1]]).toMatchObject([{ predicted_result: "Hello" }]);
    }, LONG_TIMEOUT);
    // A call that is stopped while it waits gives up its place, and was never sent.
    await post(`/v1/sessions/${second.session_id}/cancel`);
    const [stopped] = (await waiting).body[second.chat_ids[0]];
    expect(stopped).toMatchObject({ status: "cancelled", attempts: 0, ttft_ms: null, duration_ms: 0 });
    await post(`/v1/sessions/${first.session_id}/cancel`);
    await busy;
    expect(await askUpstream(`received/${provider}`)).toHaveLength(1);
  });

  it("can be changed for later calls", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "hello.slow", { max_concurrency: 1 });
    await many(2, () => submitPrompt(endpointId));
    expect(await askUpstream(`most/${provider}`)).toBe(1);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 3, uri: `${upstream}/${provider}/gather-3` });
    await many(3, () => submitPrompt(endpointId));
    expect(await askUpstream(`most/${provider}`)).toBe(3);
  });

  it("can be changed for waiting calls, and without a limit calls start at once", async () => {
    const provider = newProvider();
    const slotRequests = countSlotRequests();
    const endpointId = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: 1,
      params: { timeout_ms: 60_000 },
    });
    const prompts = [await startPrompt(endpointId)];
    await untilOpen(provider, 1);
    prompts.push(await startPrompt(endpointId));
    await slotRequests(2);
    expect(await askUpstream(`open/${provider}`)).toBe(1);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 2 });
    prompts.push(await startPrompt(endpointId));
    await slotRequests(3);
    await untilOpen(provider, 2);
    await put(`/v1/llm_endpoints/${endpointId}`, { max_concurrency: 0 });
    prompts.push(await startPrompt(endpointId));
    await untilOpen(provider, 3);
    await Promise.all(prompts.map(({ cancel }) => cancel()));
    const records = (await Promise.all(prompts.map((prompt) => prompt.records))).flat();
    expect(records.map(({ attempts }) => attempts as number)).toEqual([1, 1, 0, 1]);
    expect(await askUpstream(`most/${provider}`)).toBe(3);
  });

  it("gives a freed slot to the next in line, not to a call that was stopped", async () => {
    const provider = newProvider();
    const slotRequests = countSlotRequests();
    const endpointId = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: 1,
      params: { timeout_ms: 60_000 },
    });
    const running = await startPrompt(endpointId);
    await untilOpen(provider, 1);
    await put(`/v1/llm_endpoints/${endpointId}`, { uri: `${upstream}/${provider}/hello` });
    const stopped = await startPrompt(endpointId);
    await slotRequests(2);
    const next = await startPrompt(endpointId);
    await slotRequests(3);
    await stopped.cancel();
    expect(await stopped.records).toMatchObject([{ status: "cancelled", attempts: 0 }]);
    await running.cancel();
    expect(await running.records).toMatchObject([{ status: "cancelled", attempts: 1 }]);
    expect(await next.records).toMatchObject([{ status: "ok", attempts: 1 }]);
    expect(await callsOf(provider)).toHaveLength(2);
  });

  it("fails a call that would wait longer than a reply may take, as rate_limited and unsent", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: 1,
      params: { timeout_ms: 60_000 },
    });
    const { session_id: id } = await createComparison([endpointId]);
    const busy = post(`/v1/sessions/${id}/prompt`, { prompt: "Hi" });
    await vi.waitFor(async () => expect(await askUpstream(`open/${provider}`)).toBe(1), LONG_TIMEOUT);
    await put(`/v1/llm_endpoints/${endpointId}`, { params: { timeout_ms: 300 } });
    const late = await submitPrompt(endpointId);
    expect(late).toMatchObject({ status: "error", error: { code: "rate_limited" }, attempts: 0 });
    expect(late["error"].message).toMatch(/max_concurrency/);
    expect(late["queue_ms"]).toBeGreaterThanOrEqual(250);
    await post(`/v1/sessions/${id}/cancel`);
    await busy;
  });
});

describe("an endpoint's max_calls_per_second", () => {
  it("holds across prompts: of eleven calls at five per second the last starts after two seconds", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "hello", { max_calls_per_second: "5" });
    const started = Date.now();
    const prompts = [await startPrompt(endpointId, 6), await startPrompt(endpointId, 5)];
    const records = (await Promise.all(prompts.map((prompt) => prompt.records))).flat();
    expect(records.filter(({ status }) => status === "ok")).toHaveLength(11);
    const calls = await callsOf(provider);
    expect(calls[5]).toBeGreaterThanOrEqual(started + 1000);
    expect(calls[10]).toBeGreaterThanOrEqual(started + 2000);
  });
});

describe("a 429 of a provider", () => {
  it("holds back all calls for as long as the provider asks", async () => {
    const provider = newProvider();
    // The first call is refused for one second. All others succeed.
    const scene = `429:seconds,hello@${provider}`;
    // One at a time: the second call waits for the outcome of the first.
    const endpointId = await createOpenAiEndpoint(provider, scene, { max_concurrency: 1, params: { max_attempts: 1 } });
    expect(await submitPrompt(endpointId)).toMatchObject({ status: "error", error: { code: "rate_limited" } });
    expect(await submitPrompt(endpointId)).toMatchObject({ status: "ok", attempts: 1 });
    const [refused = NaN, answered] = await callsOf(provider);
    expect(answered).toBeGreaterThanOrEqual(refused + 1000);
  });

  it("fails calls at once that cannot wait that long, with the remaining time", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "429:long", {
      max_concurrency: 1,
      params: { max_attempts: 1 },
    });
    await submitPrompt(endpointId);
    const after = await submitPrompt(endpointId);
    expect(after).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
    expect(after["error"].message).toMatch(/another [45]\d\d s/);
    expect(await askUpstream(`received/${provider}`)).toHaveLength(1);
  });
});

describe("an endpoint object", () => {
  it("is not called when there are no limits", async () => {
    const asked = vi.spyOn(env.ENDPOINTS, "getByName");
    expect(await submitPrompt(await createOpenAiEndpoint(newProvider(), "hello"))).toMatchObject({
      status: "ok",
      queue_ms: 0,
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it("that is unreachable fails no prompt", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    vi.spyOn(env.ENDPOINTS, "getByName").mockReturnValue({
      enter: () => Promise.reject(new Error("down")),
      leave: () => Promise.reject(new Error("down")),
    } as never);
    const endpointId = await createOpenAiEndpoint(newProvider(), "hello", { max_concurrency: 1 });
    expect(await submitPrompt(endpointId)).toMatchObject({ status: "ok", attempts: 1 });
  });

  it("keeps a provider's pause across a crash", async () => {
    const provider = newProvider();
    const endpointId = await createOpenAiEndpoint(provider, "429:long", {
      max_concurrency: 1,
      params: { max_attempts: 1 },
    });
    const leave = vi.spyOn(EndpointObject.prototype, "release");
    await submitPrompt(endpointId);
    await vi.waitFor(() => expect(leave.mock.settledResults[0]?.type).toBe("fulfilled"), LONG_TIMEOUT);
    await crash(endpointId);
    expect(await submitPrompt(endpointId)).toMatchObject({ error: { code: "rate_limited" }, attempts: 0 });
    expect(await callsOf(provider)).toHaveLength(1);
  });

  it("keeps its running calls across a crash, and accepts the waiting ones again", async () => {
    const provider = newProvider();
    const slotRequests = countSlotRequests();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const endpointId = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: 1,
      params: { timeout_ms: 60_000 },
    });
    const running = await startPrompt(endpointId);
    await untilOpen(provider, 1);
    await put(`/v1/llm_endpoints/${endpointId}`, { uri: `${upstream}/${provider}/hello` });
    const waiting = await startPrompt(endpointId);
    await slotRequests(2);
    await crash(endpointId);
    await slotRequests(3);
    // Long enough to see a call that started too early.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await callsOf(provider)).toHaveLength(1);
    await running.cancel();
    expect(await waiting.records).toMatchObject([{ status: "ok", attempts: 1 }]);
    await running.records;
  });
});

describe("a session that crashes during a turn", () => {
  const crashSession = (id: string): Promise<void> =>
    runInDurableObject(env.SESSIONS.getByName(id), (_, state) => state.abort("crash")).catch(() => undefined);

  it.each([1, 2])("gives back the places of its %i calls when it starts again", async (calls) => {
    const provider = newProvider();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const endpointId = await createOpenAiEndpoint(provider, "hello.silent", {
      max_concurrency: calls,
      params: { timeout_ms: 300_000 },
    });
    const running = await startPrompt(endpointId, calls);
    await untilOpen(provider, calls);
    await put(`/v1/llm_endpoints/${endpointId}`, { uri: `${upstream}/${provider}/hello` });
    const slotRequests = countSlotRequests();
    await crashSession(running.id);
    const waiting = await startPrompt(endpointId);
    await slotRequests(1);
    await running.records.catch(() => undefined);
    expect(await get(`/v1/sessions/${running.id}`)).toMatchObject({ status: 200 });
    expect(await waiting.records).toMatchObject([{ status: "ok", attempts: 1 }]);
  });

  it("keeps the places of its new calls, and those of other sessions", async () => {
    const object = env.ENDPOINTS.getByName(unique("held"));
    const limits = { maxCallsPerSecond: 0, maxConcurrency: 9, since: 0 };
    const ids = ["a:1:x", "a:2:y", "a:22:y", "ab:1:x", "x"];
    for (const id of ids) await object.acquire({ id, limits, waitMs: 60_000, leaseMs: 60_000 });
    await object.releaseEarlier({ holder: { object: "a", instance: "2" } });
    const held = await runInDurableObject(object, (_, { storage }) => [...storage.kv.list()].map(([key]) => key));
    expect(held).toEqual(["lease:a:2:y", "lease:ab:1:x", "lease:x"]);
  });
});

describe("64 endpoints", () => {
  it("are called at once, with at most five calls per invocation", async () => {
    const invocations = vi.spyOn(ReplyCaller.prototype, "callAll");
    const provider = newProvider();
    // The provider answers nobody until all have called, so calls in sequence would all fail.
    const endpointId = await createOpenAiEndpoint(provider, "gather-64", {
      params: { timeout_ms: 30_000, max_attempts: 1 },
    });
    const session = await createComparison(Array.from({ length: 64 }, () => endpointId));
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hi" });
    const records = Object.values(body as Record<string, { status: string }[]>).flat();
    expect(records.filter(({ status }) => status === "ok")).toHaveLength(64);
    expect(await askUpstream(`most/${provider}`)).toBe(64);
    const sizes = invocations.mock.calls.map(([{ requests }]) => requests.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(64);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(CALLS_PER_INVOCATION);
    expect(CALLS_PER_INVOCATION).toBeLessThanOrEqual(5);
  });
});

describe("a single endpoint", () => {
  it("is called without an invocation of its own", async () => {
    const invocations = vi.spyOn(ReplyCaller.prototype, "callAll");
    const session = await createComparison([await createEndpoint()]);
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hi" });
    expect(Object.values(body as Record<string, unknown>).flat()).toMatchObject([{ status: "ok" }]);
    expect(invocations).not.toHaveBeenCalled();
  });
});
