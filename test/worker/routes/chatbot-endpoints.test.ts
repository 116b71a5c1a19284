/** Chatbots that stand among the endpoints of a comparison: what they send is what they would send in a session of their own. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { call, del, get, post, put } from "../../support/api.ts";
import { createCountingEndpoint } from "../../support/counted-chats.ts";
import type { CountedBody, CountingEndpoint } from "../../support/counted-chats.ts";
import { createChatbot, createComparison, createEndpoint, createSession, unique } from "../../support/create.ts";
import { followEvents } from "../../support/follow.ts";

const prompt = (id: string, text: string) => post(`/v1/sessions/${id}/prompt`, { prompt: text });
const chat = (id: string, content: string) => post(`/sessions/chat?sessionId=${id}`, { content });

/** What a test looks at in a record. */
interface ShownRecord {
  chat_record_id: number;
  status: string;
  predicted_result: string;
  error: { code: string } | null;
  receipt: { body_sha256: string };
}

/** The records of the only chat of a comparison, with their receipts. */
async function recordsOf(id: string): Promise<ShownRecord[]> {
  const { body } = await get(`/v1/sessions/${id}?include_history=true&include=receipt`);
  return Object.values<ShownRecord[]>(body.session.chat_history)[0] ?? [];
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The provider numbers its summaries. */
const withoutNumbers = (bodies: CountedBody[]) => bodies.map(({ text }) => text.replaceAll(/SUMMARY-\d+/g, "SUMMARY"));

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 }).filter((made) => made.trim() !== "");
const aChatbot = fc.record(
  {
    systemPrompt: text,
    greeting: text,
    historyLimit: fc.integer({ min: 1, max: 8 }),
    params: fc.record({ temperature: fc.double({ min: 0, max: 1, noNaN: true }), seed: fc.nat(100) }),
    context: fc.record({ maxTokens: fc.integer({ min: 150, max: 300 }), keep: fc.constantFrom("newest", "summary") }),
  },
  { requiredKeys: ["historyLimit"] },
);
const aConversation = fc.record({
  chatbot: aChatbot,
  prompts: fc.array(fc.oneof(text, fc.constant("A rather long question, again and again. ".repeat(3))), {
    minLength: 3,
    maxLength: 9,
  }),
  format: fc.constantFrom("openai-connector", "anthropic-connector", "google-gemini-connector"),
});

/** Says the same to a chatbot in a session of its own and in a comparison. @returns the bodies that its endpoint got */
async function bodiesOf(endpoint: CountingEndpoint, chatbotId: string, prompts: string[]) {
  const session = await createSession({ chatbotId });
  for (const content of prompts) expect((await chat(session, content)).status).toBe(200);
  const inSession = await endpoint.bodies();
  const { session_id: id } = await createComparison([`chatbot:${chatbotId}`], {
    system_prompt: "Not for chatbots.",
    context_strategy: "add_previous_prompt",
  });
  for (const content of prompts) expect((await prompt(id, content)).status).toBe(200);
  return { id, inSession, inComparison: (await endpoint.bodies()).slice(inSession.length) };
}

describe("a chatbot among the endpoints", () => {
  it("gets the bodies of its own sessions, over 20 random chatbots and several turns", async () => {
    const property = fc.asyncProperty(aConversation, async ({ chatbot, prompts, format }) => {
      const endpoint = await createCountingEndpoint("count-3", { connector_type: format });
      const chatbotId = await createChatbot({ endpointId: endpoint.id, ...chatbot });
      const { id, inSession, inComparison } = await bodiesOf(endpoint, chatbotId, prompts);
      expect(withoutNumbers(inComparison)).toEqual(withoutNumbers(inSession));
      const hashes = (await recordsOf(id)).map(({ receipt }) => receipt.body_sha256);
      const isChat = ({ text: body }: CountedBody) => !body.includes("Summarize this conversation");
      expect(hashes).toEqual(await Promise.all(inComparison.filter(isChat).map(({ text: body }) => sha256(body))));
      if (chatbot.context?.keep !== "summary")
        expect(hashes).toEqual(await Promise.all(inSession.map(({ text: body }) => sha256(body))));
    });
    await fc.assert(property, { numRuns: 20, seed: 7 });
  });

  it("goes on from replies that broke off or failed as its own sessions do", async () => {
    const scenes = ["hello", "hello.truncated", "503", "hello", "hello"];
    const name = crypto.randomUUID();
    const uri = `${inject("upstream")}/${name}/${[...scenes, ...scenes].join(",")}@${name}`;
    const endpointId = await createEndpoint({
      connector_type: "openai-connector",
      token: "t",
      model: "m",
      uri,
      params: { max_attempts: 1 },
    });
    const chatbotId = await createChatbot({ endpointId, greeting: "Hello!" });
    const session = await createSession({ chatbotId });
    for (const nth of scenes.keys()) await chat(session, `Question ${nth}`);
    const { session_id: id } = await createComparison([`chatbot:${chatbotId}`]);
    for (const nth of scenes.keys()) await prompt(id, `Question ${nth}`);
    const received = await (await fetch(`${inject("upstream")}/received/${name}`)).json<{ text: string }[]>();
    const bodies = received.toReversed().map((one) => one.text);
    expect(bodies).toHaveLength(2 * scenes.length);
    expect(bodies.slice(scenes.length)).toEqual(bodies.slice(0, scenes.length));
    expect((await recordsOf(id)).map(({ status }) => status)).toEqual(["ok", "error", "error", "ok", "ok"]);
  });

  it("has the slug of its name in the chat's id, and its own id everywhere else", async () => {
    const name = unique("Größe & Co");
    const [endpointId, chatbotId] = [await createEndpoint(), await createChatbot({ name })];
    const same = await createChatbot({ name });
    const endpoints = [endpointId, `chatbot:${chatbotId}`, `chatbot:${chatbotId}`, `chatbot:${same}`];
    const session = await createComparison(endpoints);
    const { body: named } = await post("/v1/sessions", { name, endpoints: [endpointId] });
    const [slug, stamp] = named.session.session_id.split(/_(?=\d{8}-)/);
    const base = `${slug}_${stamp}`.replaceAll("-", "_").replace(/\d{6}$/, "");
    expect(session.endpoints).toEqual(endpoints);
    expect(session.chat_ids[1].replace(/\d{6}$/, "")).toBe(base);
    expect(session.chat_ids.slice(2)).toEqual([`${session.chat_ids[1]}_2`, `${session.chat_ids[1]}_3`]);
    const { body } = await prompt(session.session_id, "Hello");
    expect(body[session.chat_ids[1]][0]).toMatchObject({
      conn_id: `chatbot:${chatbotId}`,
      system_prompt: null,
      context_strategy: "",
      prompt_template: "",
    });
    expect(Object.keys(body)).toEqual(session.chat_ids);
    const exported = await get(`/v1/sessions/${session.session_id}/export?format=jsonl`);
    expect(exported.body).toContain(`"endpoint":"chatbot:${same}"`);
  });

  it("opens its chat with its greeting, and no other chat with it", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const chatbotId = await createChatbot({ endpointId: endpoint.id, greeting: "Ahoy!" });
    const { session_id: id, chat_ids: chatIds } = await createComparison([endpoint.id, `chatbot:${chatbotId}`], {
      context_strategy: "chat_history",
    });
    await prompt(id, "Hello");
    const sent = (await endpoint.bodies()).map(({ messages = [] }) => messages.map(({ content }) => content));
    expect(sent.toSorted((a, b) => a.length - b.length)).toEqual([
      ["Hello"],
      [expect.stringMatching(/Ahoy!$/), "Hello"],
    ]);
    const follower = await followEvents(`/v1/sessions/${id}/events?after=0`);
    expect(await follower.next("message-appended")).toMatchObject({
      seq: 1,
      chatId: chatIds[1],
      role: "assistant",
      content: "Ahoy!",
    });
    await follower.cut();
    expect((await recordsOf(id)).map(({ chat_record_id: number }) => number)).toEqual([1]);
  });

  it("leaves its greeting in no other session of the same name and second", async () => {
    const [name, endpointId] = [unique("same"), await createEndpoint()];
    const chatbotId = await createChatbot({ endpointId, greeting: "Ahoy!" });
    const others = await Promise.all(Array.from({ length: 4 }, () => createComparison([endpointId], { name })));
    const greeted = await createComparison([`chatbot:${chatbotId}`], { name });
    const countOf = async ({ session_id: id }: { session_id: string }) => {
      const { count } = (await env.DB.prepare(
        "select count(*) as count from messages join sessions on number = key >> 20 where id = ?",
      )
        .bind(id)
        .first<{ count: number }>()) ?? { count: -1 };
      return count;
    };
    expect(await Promise.all([...others, greeted].map(countOf))).toEqual([0, 0, 0, 0, 1]);
  });

  it("is not found if there is none, and nothing is created", async () => {
    const chatbotId = await createChatbot();
    await del(`/chatbots/${chatbotId}`);
    for (const id of [chatbotId, "0123456789abcdef01234567", "x", ""]) {
      const answer = await post("/v1/sessions", { name: "none", endpoints: [await createEndpoint(), `chatbot:${id}`] });
      expect([answer.status, answer.body]).toEqual([404, { detail: `Chatbot "${id}" not found` }]);
    }
  });

  it("fails alone when it is deleted, or its context is too small, and is used as it is when it has changed", async () => {
    const endpointId = await createEndpoint();
    const [gone, small, changed] = [
      await createChatbot({ endpointId }),
      await createChatbot({ endpointId, context: { maxTokens: 1, keep: "newest" } }),
      await createChatbot({ endpointId, systemPrompt: "Old." }),
    ];
    const endpoints = [endpointId, ...[gone, small, changed].map((id) => `chatbot:${id}`)];
    const { session_id: id, chat_ids: chatIds } = await createComparison(endpoints);
    await prompt(id, "Hello there");
    await del(`/chatbots/${gone}`);
    await put(`/chatbots/${changed}`, { systemPrompt: "New." });
    const { body } = await prompt(id, "Hello again");
    const last: ShownRecord[] = chatIds.map((chatId: string) => body[chatId].at(-1));
    expect(last.map(({ status, error }) => error?.code ?? status)).toEqual([
      "ok",
      "endpoint_missing",
      "refused_by_guard",
      "ok",
    ]);
    expect(last[1]?.predicted_result).toContain(`The chatbot "${gone}" no longer exists.`);
  });

  it("says in events whose context is trimmed", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const context = { maxTokens: 60, keep: "newest" };
    const chatbotId = await createChatbot({ endpointId: endpoint.id, context });
    const { session_id: id, chat_ids: chatIds } = await createComparison([endpoint.id, `chatbot:${chatbotId}`]);
    for (let n = 0; n < 4; n += 1) await prompt(id, "A question of some length. ".repeat(3));
    const stream = await followEvents(`/v1/sessions/${id}/prompt`, { prompt: "A question of some length. ".repeat(3) });
    await stream.next("turn-ended");
    expect(await stream.next("context-trimmed")).toMatchObject({ chatId: chatIds[1] });
  });

  it("can be compared in Moonshot 0.7's API too", async () => {
    const chatbotId = await createChatbot({ greeting: "Ahoy!" });
    const endpoint = `chatbot:${chatbotId}`;
    const { body } = await post("/api/v1/sessions", { name: unique("old"), endpoints: [endpoint], description: "" });
    const { session_id: id } = body.session;
    const answer = await call("POST", `/api/v1/sessions/${id}/prompt`, { user_prompt: "Hello" });
    expect(answer.body.current_chats[endpoint]).toMatchObject([{ conn_id: endpoint, predicted_result: "Hello" }]);
  });
});
