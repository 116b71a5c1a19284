/** What a chatbot with `context` sends: never more than its `maxTokens`, and it says so when that is not all. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { archive } from "../../support/archive.ts";
import { del, get, post, put } from "../../support/api.ts";
import { FORMATS, chat, createContextSession, createCountingEndpoint, say } from "../../support/counted-chats.ts";
import { createChatbot, createEndpoint, createSession } from "../../support/create.ts";
import { connect, followEvents } from "../../support/follow.ts";
import { fillLog } from "../../support/long-log.ts";

const messagesOf = async (id: string) => (await get(`/sessions/${id}/messages?limit=1000`)).body.data.messages;

/** A text of 100 characters that no other has. */
const line = (n: number | string): string => `Line ${n}: `.padEnd(100, "abcdefg ");

describe("the field context", () => {
  it("is kept as it was given, replaced as a whole, and cleared", async () => {
    const other = await createEndpoint();
    const context = { maxTokens: 8000, keep: "summary", summaryEndpointId: other };
    const id = await createChatbot({ context });
    expect((await get(`/chatbots/${id}`)).body.data.context).toEqual(context);
    const changed = await put(`/chatbots/${id}`, { context: { maxTokens: 500, keep: "newest" } });
    expect(changed.body.data.context).toEqual({ maxTokens: 500, keep: "newest" });
    await put(`/chatbots/${id}`, { name: "Another name" });
    expect((await get(`/chatbots/${id}`)).body.data.context).toEqual({ maxTokens: 500, keep: "newest" });
    await put(`/chatbots/${id}`, { context: null });
    expect((await get(`/chatbots/${id}`)).body.data).not.toHaveProperty("context");
  });

  it.each([
    ["context.maxTokens", { maxTokens: 0, keep: "newest" }],
    ["context.maxTokens", { maxTokens: 1.5, keep: "newest" }],
    ["context.maxTokens", { maxTokens: 10_000_001, keep: "newest" }],
    ["context.maxTokens", { keep: "newest" }],
    ["context.keep", { maxTokens: 100, keep: "oldest" }],
    ["context.keep", { maxTokens: 100 }],
    ["context.maxToken", { maxToken: 100, maxTokens: 100, keep: "newest" }],
    ["context.summaryEndpointId", { maxTokens: 100, keep: "summary", summaryEndpointId: "" }],
  ])("is refused by the name of what does not fit: %s", async (path, context) => {
    const id = await createChatbot();
    const endpointId = await createEndpoint();
    for (const refused of [
      await post("/chatbots", { name: "Refused", endpointId, context }),
      await put(`/chatbots/${id}`, { context }),
    ]) {
      expect(refused.status).toBe(400);
      expect(refused.body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
    }
    expect((await get(`/chatbots/${id}`)).body.data).not.toHaveProperty("context");
  });

  it("names an endpoint that exists, and that cannot be deleted as long as it does", async () => {
    const endpointId = await createEndpoint();
    const context = { maxTokens: 100, keep: "summary", summaryEndpointId: "nobody" };
    const id = await createChatbot({ endpointId });
    expect((await post("/chatbots", { name: "Refused", endpointId, context })).status).toBe(404);
    expect((await put(`/chatbots/${id}`, { context })).status).toBe(404);
    const summaryEndpointId = await createEndpoint();
    await put(`/chatbots/${id}`, { context: { ...context, summaryEndpointId } });
    const refused = await del(`/v1/llm_endpoints/${summaryEndpointId}`);
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(id)]);
    await put(`/chatbots/${id}`, { context: null });
    expect((await del(`/v1/llm_endpoints/${summaryEndpointId}`)).status).toBe(200);
  });
});

describe.each(FORMATS)("in the format of $format", ({ connector_type }) => {
  it("a conversation of 2,000 messages never exceeds 8,000 tokens by the provider's own count", async () => {
    const endpoint = await createCountingEndpoint("count-2", { connector_type });
    const settings = { maxTokens: 8000, keep: "newest" };
    const id = await createContextSession(endpoint, settings, { systemPrompt: "You are a pirate." });
    await fillLog(id, 1, 2000, "'Line ' || i || ' ' || substr(hex(zeroblob(100)), 1, i % 170)");
    for (let n = 1; n <= 10; n += 1) expect((await chat(id, line(`new ${n}`))).status).toBe(200);
    const tokens = await endpoint.tokens(2);
    expect(Math.max(...tokens)).toBeLessThanOrEqual(8000);
    // Close to what is allowed, too, once the provider has counted.
    expect(Math.min(...tokens.slice(1))).toBeGreaterThan(7000);
    const bodies = await endpoint.chats();
    expect(bodies).toHaveLength(10);
    for (const [n, { text }] of bodies.entries()) {
      expect(text).toContain("You are a pirate.");
      expect(text).toContain(`Line new ${n + 1}: `);
      expect(text).toContain(n === 0 ? "Line 2000 " : `Line new ${n}: `);
    }
    expect((await get(`/sessions/${id}`)).body.data.messages).toHaveLength(1000);
    expect((await messagesOf(id))[0].content).toBe("Line 1 0");
  });

  it("a conversation that grows never exceeds its tokens by the provider's own count", async () => {
    const endpoint = await createCountingEndpoint("count-1.7", { connector_type });
    const id = await createContextSession(endpoint, { maxTokens: 600, keep: "newest" }, { greeting: "Ahoy!" });
    for (let n = 1; n <= 40; n += 1) await chat(id, line(n).slice(0, 20 + ((n * 37) % 80)));
    const tokens = await endpoint.tokens(1.7);
    expect(Math.max(...tokens)).toBeLessThanOrEqual(600);
    expect(tokens.at(-1)).toBeGreaterThan(450);
  });
});

describe("what does not fit", () => {
  it("is left out, the oldest first, and the event says so to all who listen", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 280, keep: "newest" });
    for (let n = 1; n <= 20; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
    const follower = await followEvents(`/sessions/${id}/events`);
    const socket = await connect(`/sessions/${id}/ws`);
    const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: line("new") });
    await stream.next("turn-ended");
    const [body] = await endpoint.chats();
    const sent = body?.messages?.map(({ content }) => content) ?? [];
    const trimmed = await stream.next("context-trimmed");
    // One more would fit, but it is the assistant's.
    expect(sent).toEqual([line(19), line(20), line("new")]);
    const { turnId } = await stream.next("turn-started");
    expect(trimmed).toEqual({ type: "context-trimmed", turnId, dropped: 18, kept: 3, estimatedTokens: 75 });
    const { messages } = (await get(`/sessions/${id}/messages?limit=1000`)).body.data;
    expect(messages.at(-1).context).toEqual({ dropped: 18, kept: 3, estimatedTokens: 75 });
    expect(messages.at(-2).context).toBeUndefined();
    expect(await follower.next("context-trimmed")).toEqual(trimmed);
    expect(await socket.next("context-trimmed")).toEqual(trimmed);
    expect(stream.types().slice(0, 4)).toEqual(["turn-started", "message-appended", "context-trimmed", "reply-start"]);
    expect(await messagesOf(id)).toHaveLength(22);
    await follower.cut();
  });

  it("is made known to whoever comes while the reply is being written", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 20 } });
    const context = { maxTokens: 100, keep: "newest" };
    const id = await createSession({ chatbotId: await createChatbot({ endpointId, context }) });
    for (let n = 1; n <= 5; n += 1) await say(id, "user", line(n));
    const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "word ".repeat(30) });
    await stream.next("reply-delta");
    const late = await followEvents(`/sessions/${id}/events?after=6`);
    await late.next("reply-delta");
    expect(late.types().slice(0, 4)).toEqual(["session-snapshot", "context-trimmed", "reply-start", "reply-delta"]);
    expect(await late.next("context-trimmed")).toEqual(await stream.next("context-trimmed"));
    await post(`/sessions/${id}/stop`);
    await late.cut();
  });

  it("is also left out of a turn that is repeated, and its event comes again", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 200, keep: "newest" });
    for (let n = 1; n <= 20; n += 1) await say(id, "user", line(n));
    const headers = { "idempotency-key": "once" };
    const path = `/sessions/chat?sessionId=${id}`;
    const first = await followEvents(path, { content: line("new") }, { headers });
    await first.next("turn-ended");
    const second = await followEvents(path, { content: line("new") }, { headers });
    await second.next("turn-ended");
    expect(second.types()).toEqual(first.types());
    expect(await second.next("context-trimmed")).toEqual(await first.next("context-trimmed"));
    expect(await endpoint.bodies()).toHaveLength(1);
  });

  it("is of the active path only", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 100, keep: "newest" });
    for (let n = 1; n <= 6; n += 1) await chat(id, line(n));
    const stream = await followEvents(`/sessions/${id}/messages/5/edit`, { content: line("edited") });
    // Two questions and their replies come before, and the first ones do not fit.
    expect(await stream.next("context-trimmed")).toMatchObject({ dropped: 2, kept: 3 });
    const sent = (await endpoint.chats()).at(-1)?.messages?.map(({ content }) => content);
    expect(sent).toEqual([line(2), "Yes, of course.", line("edited")]);
    await stream.next("turn-ended");
  });

  it("is nothing in a short conversation, or when historyLimit leaves out the rest, and then there is no event", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const context = { maxTokens: 8000, keep: "newest" };
    const id = await createContextSession(endpoint, context, { historyLimit: 4 });
    for (let n = 1; n <= 20; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
    const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "Hello" });
    await stream.next("turn-ended");
    expect(stream.types()).not.toContain("context-trimmed");
    expect((await endpoint.chats())[0]?.messages).toHaveLength(3);
  });

  it("is counted with all that is sent: also texts in the endpoint's params", async () => {
    const params = { tools: [{ type: "function", function: { name: "f", description: "d".repeat(400) } }] };
    const endpoint = await createCountingEndpoint("count-4", { params });
    const id = await createContextSession(endpoint, { maxTokens: 200, keep: "newest" });
    for (let n = 1; n <= 4; n += 1) await say(id, "user", line(n));
    const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: line("new") });
    const { estimatedTokens } = await stream.next("context-trimmed");
    expect(estimatedTokens).toBe(Math.ceil((100 + JSON.stringify(params.tools).length) / 4));
  });
});

describe("the estimate", () => {
  it("is scaled up once the provider has counted more, and still when the session comes back from the archive", async () => {
    const endpoint = await createCountingEndpoint("count-1");
    const id = await createContextSession(endpoint, { maxTokens: 1000, keep: "newest" });
    const estimateOf = async () => {
      const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: line("new") });
      await stream.next("turn-ended");
      return (await stream.next("context-trimmed"))["estimatedTokens"];
    };
    for (let n = 1; n <= 30; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
    // Nothing is known: by the plain estimate, 1 / 2.5 of what is allowed at most.
    const plain = await estimateOf();
    expect(plain).toBeLessThanOrEqual(400);
    expect(plain).toBeGreaterThan(300);
    const expectScaled = async () => {
      const [estimate, counted] = [await estimateOf(), (await endpoint.tokens(1)).at(-1) ?? 0];
      expect(counted).toBeLessThanOrEqual(1000);
      expect(counted).toBeGreaterThan(700);
      expect(Math.abs(estimate / counted - 1)).toBeLessThan(0.05);
    };
    await expectScaled();
    await evictDurableObject(env.SESSIONS.getByName(id));
    await expectScaled();
    await archive([id]);
    await expectScaled();
  });

  it("stays as it is for a provider that counts less, or not at all", async () => {
    for (const scene of ["count-9", "count-1:silent"]) {
      const endpoint = await createCountingEndpoint(scene);
      const id = await createContextSession(endpoint, { maxTokens: 200, keep: "newest" });
      for (let n = 1; n <= 30; n += 1) await say(id, "user", line(n));
      await chat(id, line("new"));
      const stream = await followEvents(`/sessions/chat?sessionId=${id}`, { content: line("newer") });
      const { estimatedTokens } = await stream.next("context-trimmed");
      const sent = (await endpoint.chats()).at(-1)?.messages ?? [];
      const characters = sent.reduce((total, { content }) => total + content.length, 0);
      expect(estimatedTokens).toBe(Math.ceil(characters / 4));
      expect(estimatedTokens).toBeGreaterThan(150);
    }
  });
});

describe("a provider that adds much to each call", () => {
  it("lets through what fits by the estimate after a short call, and gets less history for a while", async () => {
    const endpoint = await createCountingEndpoint("count-4:verbose");
    const id = await createContextSession(endpoint, { maxTokens: 1000, keep: "newest" });
    await chat(id, "Hi");
    expect((await chat(id, "u".repeat(2_000))).status).toBe(200);
    for (let n = 1; n <= 40; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
    for (let n = 1; n <= 12; n += 1) await chat(id, line(`new ${n}`));
    const tokens = await endpoint.tokens(4);
    // With what it adds.
    expect(Math.max(...tokens) + 200).toBeLessThanOrEqual(1000);
    expect((tokens.at(-1) ?? 0) + 200).toBeGreaterThan(850);
  });

  it("is not exceeded when much is added to the log after its first, short call", async () => {
    const endpoint = await createCountingEndpoint("count-1");
    const id = await createContextSession(endpoint, { maxTokens: 1000, keep: "newest" });
    await chat(id, "A short question");
    for (let n = 1; n <= 40; n += 1) await say(id, n % 2 === 1 ? "user" : "assistant", line(n));
    await chat(id, line("new"));
    expect(Math.max(...(await endpoint.tokens(1)))).toBeLessThanOrEqual(1000);
  });
});

describe("a message that does not fit beside the system prompt", () => {
  const createSmall = async (chatbot: object = {}) => {
    const endpoint = await createCountingEndpoint("count-4");
    return { endpoint, id: await createContextSession(endpoint, { maxTokens: 50, keep: "newest" }, chatbot) };
  };

  it("is 400 context_too_small, and neither appended nor sent", async () => {
    const { endpoint, id } = await createSmall({ systemPrompt: "p".repeat(98) });
    const headers = { "idempotency-key": "one" };
    const refused = await chat(id, "u".repeat(103), headers);
    expect([refused.status, refused.body.error.code]).toEqual([400, "context_too_small"]);
    const streamed = await post(
      `/sessions/chat?sessionId=${id}`,
      { content: "u".repeat(103) },
      {
        headers: { accept: "text/event-stream" },
      },
    );
    expect([streamed.status, streamed.body.error.code]).toEqual([400, "context_too_small"]);
    expect(await messagesOf(id)).toEqual([]);
    expect(await endpoint.bodies()).toEqual([]);
    // 98 and 102 characters: 50 tokens.
    expect((await chat(id, "u".repeat(102), headers)).status).toBe(200);
  });

  it("is a failure for the sender of a frame, and followers see nothing", async () => {
    const { id } = await createSmall();
    const socket = await connect(`/sessions/${id}/ws`);
    socket.send({ type: "prompt-submit", id: "f", content: "u".repeat(201) });
    expect(await socket.next("failure")).toMatchObject({ id: "f", code: "context_too_small" });
    expect(socket.types()).toEqual(["session-snapshot", "ack", "failure"]);
    expect(await messagesOf(id)).toEqual([]);
  });

  it("is stored while a person answers", async () => {
    const { id } = await createSmall();
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    expect((await chat(id, "u".repeat(201))).status).toBe(202);
    await post(`/sessions/${id}/handback`, {});
    expect((await chat(id, "Hello")).status).toBe(200);
  });
});

describe("what a person has written", () => {
  it("is part of what the chatbot's model gets", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const id = await createContextSession(endpoint, { maxTokens: 8000, keep: "newest" });
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    await chat(id, "Where is my parcel?");
    await say(id, "assistant", "Grace here: in Paris.");
    await post(`/sessions/${id}/handback`, {});
    await chat(id, "Thank you");
    const sent = (await endpoint.chats())[0]?.messages?.map(({ content }) => content);
    expect(sent).toEqual(["Where is my parcel?", "Grace here: in Paris.", "Thank you"]);
  });
});

it("a chatbot without context sends what historyLimit allows, as before", async () => {
  const endpoint = await createCountingEndpoint("count-4");
  const id = await createSession({ chatbotId: await createChatbot({ endpointId: endpoint.id, historyLimit: 3 }) });
  for (const [n, text] of ["one", "two", "three", "four"].entries())
    await say(id, n % 2 === 0 ? "user" : "assistant", text);
  await chat(id, "five");
  expect((await endpoint.chats())[0]?.messages?.map(({ content }) => content)).toEqual(["three", "four", "five"]);
});

describe("a call without a session", () => {
  const complete = async (context: object, messages: object[], fields: object = {}) => {
    const endpoint = await createCountingEndpoint("count-2", fields);
    const chatbot = { endpointId: endpoint.id, historyLimit: 1, systemPrompt: "You are a pirate.", context };
    const model = `chatbot:${await createChatbot(chatbot)}`;
    const answer = await post("/openai/v1/chat/completions", { model, messages });
    return { answer, endpoint, model };
  };
  const user = (content: string) => ({ role: "user", content });
  const assistant = (content: string) => ({ role: "assistant", content });
  const long = Array.from({ length: 50 }, (_, n) => [user(line(`q${n}`)), assistant(line(`a${n}`))]).flat();
  const newest = [{ role: "system", content: "Be brief." }, ...long, user("And now?")];

  it.each(["newest", "summary"])("sends the newest messages that fit, with keep %s", async (keep) => {
    for (const { connector_type } of FORMATS) {
      const { answer, endpoint } = await complete({ maxTokens: 1000, keep }, newest, { connector_type });
      expect(answer.status).toBe(200);
      const [tokens = Infinity] = await endpoint.tokens(2);
      expect(tokens).toBeLessThanOrEqual(1000);
      expect(tokens).toBeGreaterThan(600);
      const [sent] = await endpoint.bodies();
      for (const text of ["Be brief.", "You are a pirate.", "Line a49", "And now?"]) expect(sent?.text).toContain(text);
      expect(sent?.text).not.toContain("Line q0:");
      expect(await endpoint.summaries()).toEqual([]);
    }
  });

  it("sends all messages if they fit", async () => {
    const { endpoint } = await complete({ maxTokens: 100_000, keep: "newest" }, newest);
    expect((await endpoint.bodies())[0]?.text).toContain("Line q0:");
  });

  it("is 400 context_too_small if the newest message does not fit, and sends nothing", async () => {
    const { answer, endpoint, model } = await complete({ maxTokens: 50, keep: "newest" }, [user("u".repeat(184))]);
    expect([answer.status, answer.body.error.code]).toEqual([400, "context_too_small"]);
    const refused = await post("/openai/v1/responses", { model, input: "u".repeat(184), store: false });
    expect([refused.status, refused.body.error.code]).toEqual([400, "context_too_small"]);
    expect(await endpoint.bodies()).toEqual([]);
    // 17 and 183 characters: 50 tokens.
    const accepted = await post("/openai/v1/responses", { model, input: "u".repeat(183), store: false });
    expect(accepted.status).toBe(200);
  });
});
