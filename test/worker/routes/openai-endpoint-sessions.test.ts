/** Sessions with an endpoint as their model, by OpenAI's own client: they have no chatbot and no client. */
import { env, runDurableObjectAlarm } from "cloudflare:test";
import type OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources";
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

const user = (content: string): ChatCompletionMessageParam => ({ role: "user", content });
const assistant = (content: string): ChatCompletionMessageParam => ({ role: "assistant", content });
const system = (content: string): ChatCompletionMessageParam => ({ role: "system", content });

const { client } = openaiClient(undefined, { maxRetries: 0 });

/** The conversation that a session shows, as a list of texts. */
async function shownIn(id: string): Promise<string[]> {
  const { messages } = (await get(`/sessions/${id}`)).body.data;
  return messages.map(({ role, content }: { role: string; content: string }) => `${role}: ${content}`);
}

/** A session that a completion has made. */
async function storedSession(fields: Record<string, unknown> = {}, endpoint: Record<string, unknown> = {}) {
  const model = await createEndpoint(endpoint);
  const call = client.chat.completions.create({ model, messages: [user("1")], store: true, ...fields });
  const { response } = await call.withResponse();
  const id = response.headers.get("x-parley-session") ?? "";
  const ask = (messages: ChatCompletionMessageParam[], params: Record<string, unknown> = {}) =>
    client.chat.completions.create({ model, messages, ...params }, { headers: { "x-parley-session": id } });
  return { id, model, ask };
}

const answerOf = ({ choices }: OpenAI.ChatCompletion) => choices[0]?.message.content;

describe("a session with an endpoint", () => {
  it("is made by store: true, is gone on with, and is listed without chatbot and client", async () => {
    const { id, model, ask } = await storedSession({ metadata: { topic: "a" }, user: "u-1" });
    expect(answerOf(await ask([user("1"), assistant("1"), user("2")]))).toBe("2");
    const stream = await client.chat.completions.create(
      { model, messages: [user("1"), assistant("1"), user("2"), assistant("2"), user("3")], stream: true },
      { headers: { "x-parley-session": id } },
    );
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("3");
    expect(await shownIn(id)).toEqual([
      "user: 1",
      "assistant: 1",
      "user: 2",
      "assistant: 2",
      "user: 3",
      "assistant: 3",
    ]);
    const parties = { id, chatbotId: null, clientId: null, endpointId: model, metadata: { topic: "a" } };
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject(parties);
    const { results } = (await get("/sessions?limit=1")).body.data;
    expect(results).toMatchObject([{ ...parties, messageCount: 6 }]);
  });

  it("is made by a response, and gone on with by its id and as a conversation", async () => {
    const { id: model, received } = await endpointPlaying("hello");
    const first = await client.responses.create({ model, input: "1", instructions: "Be brief.", temperature: 0.1 });
    expect(first).toMatchObject({ model, store: true, status: "completed" });
    const id = first.conversation?.id ?? "";
    expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, model, conversation: { id } });
    await client.responses.create({ model, input: "2", previous_response_id: first.id });
    await client.responses.create({ model, input: "3", conversation: id });
    await client.responses.create({ model, input: "4", previous_response_id: first.id, max_output_tokens: 9 });
    const bodies = (await received()).map(({ body }) => body).toReversed();
    const hello = assistant("Hello! How can I assist you today? 🎉");
    expect(bodies.map(({ messages }) => messages)).toEqual([
      [system("Be brief."), user("1")],
      [user("1"), hello, user("2")],
      [user("1"), hello, user("2"), hello, user("3")],
      [user("1"), hello, user("4")],
    ]);
    expect(bodies.map((body) => [body["temperature"], body["max_tokens"]])).toEqual([
      [0.1, undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, 9],
    ]);
    expect((await shownIn(id)).slice(2)).toEqual(["user: 4", "assistant: Hello! How can I assist you today? 🎉"]);
  });

  it("sends the whole conversation, with the params of each call", async () => {
    const { id: model, received } = await endpointPlaying("hello", { params: { temperature: 0.5, seed: 1 } });
    const past = Array.from({ length: 60 }, (_, index) => [user(`q${index}`), assistant(`a${index}`)]).flat();
    const body = { model, messages: [...past, user("now")], store: true, temperature: 0 };
    const { response } = await client.chat.completions.create(body).withResponse();
    const [sent] = await received();
    expect(sent?.body["messages"]).toHaveLength(121);
    expect(sent?.body).toMatchObject({ temperature: 0, seed: 1 });
    expect((await get(`/sessions/${response.headers.get("x-parley-session")}`)).body.data.messages).toHaveLength(122);
  });

  it("is one session under a key, once", async () => {
    const model = await createEndpoint();
    const options = { headers: { "idempotency-key": crypto.randomUUID() } };
    const ids = [];
    for (let time = 0; time < 2; time += 1) {
      const call = client.chat.completions.create({ model, messages: [user("1")], store: true }, options);
      ids.push((await call.withResponse()).response.headers.get("x-parley-session") ?? "");
    }
    expect(new Set(ids).size).toBe(1);
    expect(await shownIn(ids[0] ?? "")).toHaveLength(2);
  });

  it("is found by its title, counted, changed, exported, ended and deleted like any other", async () => {
    const total = async (query: string) => (await get(`/sessions?limit=1&${query}`)).body.data.paginatorInfo.total;
    const before = [await total(""), await total("status=ACTIVE"), await total("status=COMPLETED")];
    const { id, model } = await storedSession();
    const title = `title ${crypto.randomUUID()}`;
    await put(`/sessions/${id}`, { title });
    expect((await get(`/sessions?searchString=${encodeURIComponent(title)}`)).body.data.results).toMatchObject([
      { id },
    ]);
    expect((await get(`/sessions/${id}/stats`)).body.data).toMatchObject({ count: 1, ok: 1 });
    expect((await get(`/sessions/${id}/export`)).body).toContain(`"endpointId":"${model}"`);
    await post(`/sessions/${id}/end`);
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
    const after = [await total(""), await total("status=ACTIVE"), await total("status=COMPLETED")];
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 0, 1]);
    expect((await del(`/sessions/${id}`)).status).toBe(200);
    expect(await total("")).toBe(before[0]);
  });

  it("is regenerated, edited, branched, rated and handed over like any other", async () => {
    const { id, model, ask } = await storedSession();
    expect((await post(`/sessions/${id}/messages/2/regenerate`, {})).status).toBe(200);
    const edited = await post(`/sessions/${id}/messages/1/edit`, { content: "eins" });
    expect(edited.status).toBe(200);
    expect(await shownIn(id)).toEqual(["user: eins", "assistant: eins"]);
    const { body } = await post(`/sessions/${id}/branch`, { seq: 5 });
    expect(body.data).toMatchObject({ chatbotId: null, clientId: null, endpointId: model });
    const asked = await post(`/sessions/chat?sessionId=${body.data.id}`, { content: "zwei" });
    expect(asked.body.data).toMatchObject({ content: "zwei" });
    await put(`/sessions/${id}/messages/5/feedback`, { rating: 1, tags: ["endpoint-session"] });
    const { results } = (await get("/feedback?tag=endpoint-session")).body.data;
    expect(results).toMatchObject([{ sessionId: id, chatbotId: null, clientId: null, rating: 1 }]);
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    expect(await errorOf(ask([user("eins"), assistant("eins"), user("x")]))).toMatchObject({ code: "human_handles" });
    await post(`/sessions/${id}/handback`, {});
    expect(answerOf(await ask([user("eins"), assistant("eins"), user("x"), user("y")]))).toBe("y");
  });

  it("goes on from D1 when its object was emptied", async () => {
    const { id, model, ask } = await storedSession();
    const object = env.SESSIONS.getByName(id);
    await object.end({ history: "added" });
    await runDurableObjectAlarm(object);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    expect(answerOf(await ask([user("1"), assistant("1"), user("2")]))).toBe("2");
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ endpointId: model, chatbotId: null });
  });

  it("says so when its endpoint is gone", async () => {
    const { id, model, ask } = await storedSession();
    await del(`/v1/llm_endpoints/${model}`);
    // A session uses its endpoint as it was within the last two seconds.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const error = await errorOf(ask([user("1"), assistant("1"), user("2")]));
    expect(error).toMatchObject({ status: 502, code: "endpoint_missing" });
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ endpointId: model });
  });
});

describe("a call is refused", () => {
  it("with another model than the session's", async () => {
    const { id, model: own } = await storedSession();
    const ofChatbot = await createSession();
    const ofComparison = await createComparison([await createEndpoint(), await createEndpoint()]);
    const cases: [string, string, number, string][] = [
      [id, await createEndpoint(), 400, "model_mismatch"],
      [id, "nobody", 400, "model_mismatch"],
      [id, `chatbot:${await createChatbot()}`, 400, "model_mismatch"],
      [id, "chatbot:", 400, "model_mismatch"],
      [ofChatbot, await createEndpoint(), 400, "model_mismatch"],
      [ofComparison.session_id, ofComparison.endpoints?.[0] ?? "x", 404, "not_found"],
    ];
    for (const [session, model, status, code] of cases) {
      const messages = [user("1"), assistant("1"), user("2")];
      const chat = client.chat.completions.create({ model, messages }, { headers: { "x-parley-session": session } });
      const error = await errorOf(chat);
      expect(error).toMatchObject({ status, code });
      if (session === id) expect(error.message).toContain(`with another model: ${own}`);
      const response = client.responses.create({ model, input: "2", conversation: session });
      expect(await errorOf(response)).toMatchObject({ status, code });
    }
    expect(await shownIn(id)).toHaveLength(2);
  });

  it("for a client: it sees neither endpoints nor their sessions", async () => {
    const { id, model } = await storedSession();
    const { key } = (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data;
    const { client: ofClient } = openaiClient(key, { maxRetries: 0 });
    const body = { model, messages: [user("1")] };
    const made = ofClient.chat.completions.create({ ...body, store: true });
    expect(await errorOf(made)).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await errorOf(ofClient.responses.create({ model, input: "1" }))).toMatchObject({ code: "model_not_found" });
    const foreign = ofClient.chat.completions.create(body, { headers: { "x-parley-session": id } });
    expect(await errorOf(foreign)).toMatchObject({ status: 404, code: "not_found" });
    expect((await get(`/sessions/${id}`, { token: key })).status).toBe(404);
    expect((await get("/sessions", { token: key })).body.data.results).toEqual([]);
  });

  it("that names a client for it, and makes nothing", async () => {
    const model = await createEndpoint();
    const metadata = { client_id: await createClient() };
    const count = async () => env.DB.prepare("select count(*) as n from sessions").first("n");
    const before = await count();
    const named = { status: 400, code: "unsupported_parameter", param: "metadata.client_id" };
    const chat = client.chat.completions.create({ model, messages: [user("1")], store: true, metadata });
    expect(await errorOf(chat)).toMatchObject(named);
    expect(await errorOf(client.responses.create({ model, input: "1", metadata }))).toMatchObject(named);
    const unknown = client.responses.create({ model: "nobody", input: "1" });
    expect(await errorOf(unknown)).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await count()).toBe(before);
  });
});
