/** When a call to a provider is repeated, and what its receipt records. */
import { describe, expect, inject, it } from "vitest";
import type { ReplyFailure } from "../../../src/core/reply.ts";
import { replyFailure } from "../../../src/core/reply.ts";
import { makeRequest, callProvider } from "../../support/connectors.ts";

const upstream = inject("upstream");

let requestCount = 0;

/** A request whose provider plays the scenes one after the other. */
const requestPlaying = (scenes: string, params: Record<string, unknown> = {}) =>
  makeRequest("openai-connector", `${scenes}@${(requestCount += 1)}-${crypto.randomUUID()}`, {
    params: JSON.stringify(params),
  });

interface Received {
  path: string;
  text: string;
}

async function receivedBy(request: { uri: string }): Promise<Received[]> {
  const all = await (await fetch(`${upstream}/received/openai`)).json<Received[]>();
  return all.filter(({ path }) => `${upstream}${path}`.startsWith(request.uri));
}

describe("a call is repeated", () => {
  it.each(["408", "409", "429", "500", "502", "503", "529", "hello.lost"])("after %s, unchanged", async (scene) => {
    const request = requestPlaying(`${scene},hello`);
    const { text, last } = await callProvider(request);
    expect(text).toMatch(/^Hello/);
    expect(last).toMatchObject({ type: "end", metrics: { calls: 2 } });
    expect(last.metrics.receipt?.attempts).toMatchObject([{ error: { code: expect.any(String) } }, { error: null }]);
    const [second, first] = await receivedBy(request);
    expect(second?.text).toBe(first?.text);
  });

  it.each([
    // The shortest pause, whatever the provider gives.
    ["zero", 100],
    ["ms", 100],
    ["seconds", 1_000],
    ["date", 400],
  ])("not before the time that the provider gives in %s", async (hint, atLeastMs) => {
    const { last } = await callProvider(requestPlaying(`429:${hint},hello`));
    expect(last).toMatchObject({ type: "end", metrics: { calls: 2 } });
    expect(last.metrics.durationMs).toBeGreaterThanOrEqual(atLeastMs);
    // Time to first token counts from the first call.
    expect(last.metrics.ttftMs).toBeGreaterThanOrEqual(atLeastMs);
  });

  it("up to max_attempts, and each attempt is in the receipt", async () => {
    const request = requestPlaying("503,hello.lost,429:ms,hello", { max_attempts: "4" });
    const { last } = await callProvider(request);
    expect(last.metrics.calls).toBe(4);
    expect(last.metrics.receipt?.attempts.map(({ error }) => error?.code ?? null)).toEqual([
      "provider_overloaded",
      "connection_lost",
      "rate_limited",
      null,
    ]);
    expect(last.metrics.receipt?.attempts[0]).toMatchObject({ providerRequestId: "req_refused" });
    expect(await receivedBy(request)).toHaveLength(4);
  });

  it("for an echo endpoint when its params allow it: failures count per call", async () => {
    const params = { fail: 503, fail_times: 1 };
    const echo = (more: object) =>
      makeRequest("echo-connector", "", { params: JSON.stringify({ ...params, ...more }) });
    expect((await callProvider(echo({}))).last).toMatchObject({ code: "provider_overloaded", metrics: { calls: 1 } });
    expect((await callProvider(echo({ max_attempts: 2 }))).last).toMatchObject({ type: "end", metrics: { calls: 2 } });
  });
});

describe("a call is not repeated", () => {
  it.each(["400", "401", "403", "404", "422"])("after %s", async (scene) => {
    const { last } = await callProvider(requestPlaying(`${scene},hello`, { max_attempts: 5 }));
    expect(last).toMatchObject({ type: "failed", metrics: { calls: 1 } });
  });

  it("when text has arrived", async () => {
    const { text, last } = await callProvider(requestPlaying("hello.reset,hello", { max_attempts: 5 }));
    expect(text).not.toBe("");
    expect(last).toMatchObject({ code: "connection_lost", metrics: { calls: 1 } });
  });

  it("when the provider asks for more time than is left: the failure comes at once", async () => {
    const { last } = await callProvider(requestPlaying("429:long,hello"));
    expect(last).toMatchObject({ code: "rate_limited", retryAfterSeconds: 500, metrics: { calls: 1 } });
  });

  it("when it is stopped while it waits", async () => {
    const stop = new AbortController();
    const request = requestPlaying("429:seconds,hello");
    const asked = callProvider(request, { stop: stop.signal });
    await expect.poll(async () => (await receivedBy(request)).length, { timeout: 30_000 }).toBe(1);
    stop.abort();
    expect((await asked).last).toMatchObject({ code: "cancelled", metrics: { calls: 1 } });
    expect(await receivedBy(request)).toHaveLength(1);
  });
});

describe("a slot", () => {
  it("is acquired before each call, and released with its outcome", async () => {
    const steps: string[] = [];
    const acquireSlot = async () => {
      steps.push("asked");
      return { release: (last: { type: string; code?: string }) => void steps.push(last.code ?? last.type) };
    };
    await callProvider(requestPlaying("429:ms,hello"), { acquireSlot });
    expect(steps).toEqual(["asked", "rate_limited", "asked", "end"]);
  });

  it("that is refused fails the reply, and no call is counted", async () => {
    const refused: ReplyFailure = replyFailure("rate_limited", "Too many wait.", { retryAfterSeconds: 9 });
    const { last } = await callProvider(requestPlaying("hello"), { acquireSlot: async () => refused });
    expect(last).toMatchObject({ code: "rate_limited", retryAfterSeconds: 9, metrics: { calls: 0, receipt: null } });
  });

  it("that is waited for adds to the queue time, not to the reply's own time", async () => {
    const acquireSlot = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return { release: () => undefined };
    };
    const { last } = await callProvider(requestPlaying("hello", { timeout_ms: 1_400 }), { acquireSlot });
    expect(last.type).toBe("end");
    expect(last.metrics.queueMs).toBeGreaterThanOrEqual(1_490);
  });
});

describe("a receipt", () => {
  const sha256 = async (text: string) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Buffer.from(digest).toString("hex");
  };

  /** The prompt contains the key, and JSON escapes change how the key is written. */
  const oddKey = 'sk-"odd"\\key';
  const requestWithKey = () => ({
    ...requestPlaying("hello", { note: `${oddKey}!` }),
    token: oddKey,
    messages: [{ role: "user" as const, content: `My key is ${oddKey}, naïve 北京 🎉` }],
  });

  it("has the hash of the bytes that arrived, and their text without the key", async () => {
    const request = requestWithKey();
    const { receipt } = (await callProvider(request)).last.metrics;
    const { text } = (await receivedBy(request))[0] ?? { text: "" };
    expect(receipt?.bodySha256).toBe(await sha256(text));
    expect(receipt?.body).toBe(text.replaceAll(JSON.stringify(oddKey).slice(1, -1), "********"));
    expect(receipt?.body).toContain("My key is ********, naïve 北京 🎉");
  });

  it("contains the key nowhere", async () => {
    const { receipt } = (await callProvider(requestWithKey())).last.metrics;
    expect(receipt?.params).toContain("********!");
    expect(JSON.stringify(receipt)).not.toContain("odd");
  });

  it("of a body that is too long has only its hash", async () => {
    const request = { ...requestPlaying("hello"), messages: [{ role: "user" as const, content: "x".repeat(262_144) }] };
    const receipt = (await callProvider(request)).last.metrics.receipt;
    const [arrived] = await receivedBy(request);
    expect(receipt?.body).toBeNull();
    expect(receipt?.bodySha256).toBe(await sha256(arrived?.text ?? ""));
  });

  it("is made only when it is requested", async () => {
    expect((await callProvider({ ...requestPlaying("hello"), withReceipt: false })).last.metrics.receipt).toBeNull();
  });
});
