/** A chatbot with `context` and `keep: "summary"`: what falls out of its context is summarised once, and the summary is sent. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { archive } from "../../support/archive.ts";
import { get, post, put } from "../../support/api.ts";
import { FORMATS, chat, createContextSession, createCountingEndpoint, say } from "../../support/counted-chats.ts";
import type { CountedBody, CountingEndpoint } from "../../support/counted-chats.ts";
import { createChatbot, createClient, createSession, unique } from "../../support/create.ts";
import { followEvents } from "../../support/follow.ts";
import { fillLog } from "../../support/long-log.ts";

/** A text of 100 characters that no other has. */
const line = (n: number | string): string => `Line ${n}: `.padEnd(100, "abcdefg ");

const linesIn = (text: string): string[] => text.match(/Line [\w ]+: /g) ?? [];

const streamChat = async (id: string, content: string) => {
  const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content });
  await stream.next("turn-ended");
  return stream;
};

const trimmedOf = async (id: string, content: string) =>
  (await streamChat(id, content)).events.find(({ type }) => type === "context-trimmed");

const fillWithLines = async (id: string, count: number) => {
  for (let n = 1; n <= count; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
};

/** How often each line was summarised. */
async function countSummarised(endpoint: CountingEndpoint): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { text } of await endpoint.summaries())
    for (const found of linesIn(text)) counts.set(found, (counts.get(found) ?? 0) + 1);
  return counts;
}

const systemIn = (body: CountedBody | undefined): string =>
  JSON.stringify(body?.system ?? body?.systemInstruction ?? body?.messages?.[0]);

describe.each(FORMATS)("in the format of $format", ({ connector_type }) => {
  it("each message is either sent or summarised once, and the newest summary is sent as a system message", async () => {
    const endpoint = await createCountingEndpoint("count-3", { connector_type });
    const id = await createContextSession(
      endpoint,
      { maxTokens: 600, keep: "summary" },
      { systemPrompt: "You are a pirate." },
    );
    for (let n = 1; n <= 40; n += 1) {
      const before = (await endpoint.summaries()).length;
      const trimmed = await trimmedOf(id, line(n));
      const body = (await endpoint.chats()).at(-1);
      const summarised = await countSummarised(endpoint);
      const sent = linesIn(body?.text ?? "");
      expect([...summarised.values()].every((count) => count === 1)).toBe(true);
      expect([...summarised.keys(), ...sent]).toEqual(Array.from({ length: n }, (_, i) => `Line ${i + 1}: `));
      expect(trimmed === undefined).toBe(summarised.size === 0);
      // Every line but the new one has its reply.
      const [dropped, kept] = [2 * summarised.size, 2 * sent.length - 1];
      if (trimmed) expect(trimmed).toMatchObject({ dropped, kept });
      const system = systemIn(body);
      expect(system).toContain("You are a pirate.");
      expect(system.includes("Summary of the earlier conversation:\\nSUMMARY-")).toBe(summarised.size > 0);
      expect((await endpoint.summaries()).length - before).toBeLessThanOrEqual(1);
    }
    expect(Math.max(...(await endpoint.tokens(3)))).toBeLessThanOrEqual(600);
    const summaries = await endpoint.summaries();
    // A summary is due only now and then.
    expect(summaries.length).toBeGreaterThan(2);
    expect(summaries.length).toBeLessThan(12);
    for (const { text } of summaries.slice(1)) expect(text).toMatch(/Summary so far:\\nSUMMARY-\d+/);
    const { messages } = (await get(`/sessions/${id}/messages?limit=1000`)).body.data;
    expect(messages.map(({ role }: { role: string }) => role)).toEqual(
      Array.from({ length: 80 }, (_, n) => (n % 2 === 0 ? "user" : "assistant")),
    );
  });
});

describe("a summary", () => {
  it("is made by the endpoint that the chatbot names for it, without the chatbot's params and system prompt", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const other = await createCountingEndpoint("count-4");
    const context = { maxTokens: 1200, keep: "summary", summaryEndpointId: other.id };
    const chatbot = { params: { temperature: 0.3 }, systemPrompt: "You are a pirate." };
    const id = await createContextSession(endpoint, context, chatbot);
    await fillWithLines(id, 20);
    await chat(id, line("new"));
    expect(await endpoint.summaries()).toEqual([]);
    const [summary, ...more] = await other.bodies();
    expect(more).toEqual([]);
    expect(summary?.text).toContain("user: Line 1: ");
    expect(summary?.text).toContain("assistant: Line 2: ");
    expect(summary?.text).not.toMatch(/temperature|pirate|Line new/);
  });

  it("covers a long conversation in several calls, each within maxTokens, and each message is in one", async () => {
    const endpoint = await createCountingEndpoint("count-2");
    const id = await createContextSession(endpoint, { maxTokens: 8000, keep: "summary" });
    await fillLog(id, 1, 2000, "'Line ' || i || ': 12345678901234567890'");
    const trimmed = await trimmedOf(id, "Hello");
    const counts = await countSummarised(endpoint);
    const sent = linesIn((await endpoint.chats())[0]?.text ?? "");
    expect([...counts.keys(), ...sent]).toEqual(Array.from({ length: 2000 }, (_, n) => `Line ${n + 1}: `));
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    expect(trimmed).toMatchObject({ dropped: counts.size, kept: sent.length + 1 });
    expect((await endpoint.summaries()).length).toBeGreaterThan(2);
    expect(Math.max(...(await endpoint.tokens(2)))).toBeLessThanOrEqual(8000);
  });

  it("goes on in the next turns when one turn is not enough", async () => {
    const endpoint = await createCountingEndpoint("count-2");
    const id = await createContextSession(endpoint, { maxTokens: 400, keep: "summary" });
    await fillLog(id, 1, 300, "'Line ' || i || ': 1234567890123456789012345678901234567890'");
    await chat(id, "Hello");
    const first = (await countSummarised(endpoint)).size;
    expect(await endpoint.summaries()).toHaveLength(16);
    for (let n = 0; n < 8; n += 1) await chat(id, "Hello");
    const counts = await countSummarised(endpoint);
    expect(counts.size).toBeGreaterThan(first);
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    const sent = linesIn((await endpoint.chats()).at(-1)?.text ?? "");
    expect([...counts.keys(), ...sent]).toEqual(Array.from({ length: 300 }, (_, n) => `Line ${n + 1}: `));
    expect(Math.max(...(await endpoint.tokens(2)))).toBeLessThanOrEqual(400);
  });

  it("covers what historyLimit leaves out, too", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 8000, keep: "summary" }, { historyLimit: 10 });
    await fillWithLines(id, 20);
    expect(await trimmedOf(id, line("new"))).toMatchObject({ dropped: 16, kept: 5 });
    expect((await countSummarised(endpoint)).size).toBe(16);
  });

  it("is used again after hibernation, and when the session comes back from the archive", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 1200, keep: "summary" });
    await fillWithLines(id, 20);
    await chat(id, "Hello");
    const [summary] = /SUMMARY-\d+/.exec((await endpoint.chats())[0]?.text ?? "") ?? [];
    await evictDurableObject(env.SESSIONS.getByName(id));
    await chat(id, "Hello again");
    await archive([id]);
    await chat(id, "And again");
    expect(await endpoint.summaries()).toHaveLength(1);
    for (const { text } of await endpoint.chats()) expect(text).toContain(`${summary}`);
    // Whoever reads only what is shown gets none.
    const page = await env.SESSIONS.getByName(id).page({
      after: 0,
      limit: 100,
      which: "all",
      filter: { form: "short" },
    });
    expect(JSON.stringify(page)).toContain('"upTo"');
    expect(JSON.stringify(page)).not.toContain(summary);
  });

  it("stands only for messages of the path that is sent: what is asked again or edited gets an earlier one, or none", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 500, keep: "summary" });
    const summaryOf = (text = "") => /SUMMARY-\d+/.exec(text)?.[0];
    const summaries: (string | undefined)[] = [];
    for (let n = 1; n <= 40; n += 1) {
      await chat(id, line(n));
      summaries.push(summaryOf((await endpoint.chats()).at(-1)?.text));
    }
    const made = (await endpoint.summaries()).length;
    const lastOf = async () => (await endpoint.chats()).at(-1)?.text ?? "";
    // The third reply, and the question before it: nothing of what came later.
    for (const [path, body, question] of [
      ["messages/6/regenerate", {}, "Line 3: "],
      ["messages/5/edit", { content: line("edited") }, "Line edited: "],
    ] as const) {
      expect((await post(`/sessions/${id}/${path}`, body)).status).toBe(200);
      expect(linesIn(await lastOf())).toEqual(["Line 1: ", "Line 2: ", question]);
      expect(summaryOf(await lastOf())).toBeUndefined();
    }
    // A reply in the middle: a summary that was made for a later turn can cover what came before.
    await post(`/sessions/${id}/messages/40/regenerate`, {});
    expect(summaries.indexOf(summaryOf(await lastOf()))).toBeGreaterThan(5);
    expect(summaries.indexOf(summaryOf(await lastOf()))).toBeLessThan(25);
    const sent = linesIn(await lastOf());
    expect(sent).toEqual(Array.from({ length: sent.length }, (_, n) => `Line ${21 - sent.length + n}: `));
    // And the last one again.
    await post(`/sessions/${id}/messages/80/regenerate`, {});
    expect(summaryOf(await lastOf())).toBe(summaries[39]);
    expect(await endpoint.summaries()).toHaveLength(made);
  });

  it("is counted in the statistics of the session, with its cost", async () => {
    const prices = { input_per_million: 2_000_000, output_per_million: 1_000_000 };
    const endpoint = await createCountingEndpoint("count-4", { prices });
    const clientId = await createClient();
    const chatbotId = await createChatbot({
      endpointId: endpoint.id,
      historyLimit: 1000,
      context: { maxTokens: 1200, keep: "summary" },
    });
    const id = await createSession({ chatbotId, clientId });
    await fillWithLines(id, 20);
    await chat(id, line("new"));
    const [inputTokens = 0] = await endpoint.tokens(4);
    const { data } = (await get(`/sessions/${id}/stats`)).body;
    expect(data.summaries).toEqual({
      count: 1,
      failed: 0,
      usage: { inputTokens, outputTokens: 4 },
      cost: inputTokens * 2 + 4,
    });
    expect(data.count).toBe(1);
    const { data: key } = (await post("/keys", { name: unique("client"), role: "client", clientId })).body;
    expect((await get(`/sessions/${id}/stats`, { token: key.key })).body.data).not.toHaveProperty("summaries");
  });

  it("shows what a person has written", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 400, keep: "summary" });
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    await say(id, "user", "Where is it?");
    await say(id, "assistant", "Grace here: in Paris.");
    await post(`/sessions/${id}/handback`, {});
    await fillWithLines(id, 20);
    await chat(id, line("new"));
    expect((await endpoint.summaries())[0]?.text).toContain("assistant: Grace here: in Paris.");
  });
});

describe("a summary that fails", () => {
  it.each([
    ["count-4:failing", "provider_rejected"],
    ["count-4:blank", "refused_by_guard"],
  ])("leaves out the oldest messages, says so, and is tried again: %s", async (scene, summaryError) => {
    const endpoint = await createCountingEndpoint(scene);
    const id = await createContextSession(endpoint, { maxTokens: 400, keep: "summary" });
    await fillWithLines(id, 20);
    for (const n of [1, 2]) {
      const trimmed = await trimmedOf(id, line(`new ${n}`));
      const sent = linesIn((await endpoint.chats()).at(-1)?.text ?? "");
      expect(sent.at(-1)).toBe(`Line new ${n}: `);
      expect(sent).not.toContain("Line 1: ");
      expect(trimmed).toMatchObject({ summaryError });
      expect(trimmed?.["dropped"] + trimmed?.["kept"]).toBe(19 + 2 * n);
      expect(await endpoint.summaries()).toHaveLength(n);
    }
    expect((await get(`/sessions/${id}/messages?limit=100`)).body.data.messages).toHaveLength(24);
    const { data } = (await get(`/sessions/${id}/stats`)).body;
    expect(data.summaries).toMatchObject({ count: 0, failed: 2 });
  });

  it("leaves the summary that there was", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 400, keep: "summary" });
    await fillWithLines(id, 20);
    await chat(id, "Hello");
    const [summary] = /SUMMARY-\d+/.exec((await endpoint.chats())[0]?.text ?? "") ?? [];
    const failing = await createCountingEndpoint("count-4:failing");
    const { chatbotId } = (await get(`/sessions/${id}`)).body.data;
    const context = { maxTokens: 400, keep: "summary", summaryEndpointId: failing.id };
    await put(`/chatbots/${chatbotId.id}`, { context });
    await vi.waitFor(async () => expect((await get(`/sessions/${id}`)).body.data.chatbotId.context).toEqual(context));
    await fillWithLines(id, 20);
    expect(await trimmedOf(id, line("new"))).toMatchObject({ summaryError: "provider_rejected" });
    expect((await endpoint.chats()).at(-1)?.text).toContain(`${summary}`);
  });

  it("when there is no room for one", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 60, keep: "summary" });
    await fillWithLines(id, 4);
    expect(await trimmedOf(id, "Hello")).toMatchObject({ summaryError: "refused_by_guard" });
    expect(await endpoint.summaries()).toEqual([]);
  });

  it("when the turn is stopped: the provider is left, and no further call is made", async () => {
    const endpoint = await createCountingEndpoint("count-4:stalling");
    const id = await createContextSession(endpoint, { maxTokens: 400, keep: "summary" });
    await fillWithLines(id, 20);
    const follower = await followEvents(`/sessions/${id}/events`);
    const asked = chat(id, line("new"));
    await vi.waitFor(async () => expect(await endpoint.summaries()).toHaveLength(1));
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    const { status, body } = await asked;
    expect([status, body.data.finishReason, body.data.content]).toEqual([200, "cancelled", ""]);
    await vi.waitFor(async () => expect(await endpoint.open()).toBe(0));
    expect(await endpoint.bodies()).toHaveLength(1);
    await follower.next("turn-ended");
    expect(follower.types()).not.toContain("context-trimmed");
    await follower.cut();
  });
});
