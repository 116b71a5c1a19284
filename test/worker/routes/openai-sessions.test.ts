/** Chat completions in a session, by OpenAI's own client: what a conversation that is sent whole adds to it. */
import { env } from "cloudflare:workers";
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources";
import { describe, expect, it } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { followEvents } from "../../support/follow.ts";
import { kept } from "../../support/kept.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

const user = (content: string): ChatCompletionMessageParam => ({ role: "user", content });
const assistant = (content: string): ChatCompletionMessageParam => ({ role: "assistant", content });
const system = (content: string): ChatCompletionMessageParam => ({ role: "system", content });

interface Shown {
  seq: number;
  role: string;
  content: string;
  active: boolean;
}

/** Every message of a session, and which are active. */
const treeOf = async (id: string): Promise<Shown[]> =>
  (await get(`/sessions/${id}/messages?tree=true`)).body.data.messages;

/** The conversation that a session shows, as a list of texts. */
const shownIn = async (id: string): Promise<string[]> =>
  (await treeOf(id)).filter(({ active }) => active).map(({ role, content }) => `${role}: ${content}`);

/** A chatbot on an echo endpoint, and a session with it. */
async function conversation(chatbot: Record<string, unknown> = {}, endpoint: Record<string, unknown> = {}) {
  const clientId = await createClient();
  const chatbotId = await createChatbot({ endpointId: await createEndpoint(endpoint), ...chatbot });
  const id = await createSession({ chatbotId, clientId });
  const model = `chatbot:${chatbotId}`;
  const headers = { "x-parley-session": id };
  const { client, calls } = openaiClient(undefined, { maxRetries: 0 });
  const ask = (...messages: ChatCompletionMessageParam[]) =>
    client.chat.completions.create({ model, messages }, { headers });
  const stream = (...messages: ChatCompletionMessageParam[]) =>
    client.chat.completions.create({ model, messages, stream: true }, { headers });
  return { id, clientId, chatbotId, model, headers, client, calls, ask, stream };
}

const answerOf = ({ choices }: OpenAI.ChatCompletion) => choices[0]?.message.content;

async function textOf(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  return text;
}

describe("a conversation that is sent whole", () => {
  it("adds one turn with each call", async () => {
    const { id, ask, calls, model } = await conversation();
    const first = await ask(user("1"));
    expect(first).toMatchObject({ object: "chat.completion", model, choices: [{ finish_reason: "stop" }] });
    expect(first.id).toMatch(/^chatcmpl-[0-9a-f]{24}$/);
    expect(first.usage).toEqual({ prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 });
    await ask(user("1"), assistant("1"), user("2"));
    await ask(user("1"), assistant("1"), user("2"), assistant("2"), user("3"));
    expect(await shownIn(id)).toEqual([
      "user: 1",
      "assistant: 1",
      "user: 2",
      "assistant: 2",
      "user: 3",
      "assistant: 3",
    ]);
    expect(calls.map(({ headers }) => headers.get("x-parley-session"))).toEqual([id, id, id]);
  });

  it("is streamed as it comes, in the session", async () => {
    const { id, stream } = await conversation();
    expect(await textOf(await stream(user("one two three")))).toBe("one two three");
    expect(await shownIn(id)).toEqual(["user: one two three", "assistant: one two three"]);
  });

  it("is sent as early as the session's own events", async () => {
    const { id: endpointId, open } = await endpointPlaying("hello.stall");
    const { id, stream } = await conversation({ endpointId });
    const follower = await followEvents(`/sessions/${id}/events`);
    const chunks = (await stream(user("1")))[Symbol.asyncIterator]();
    let text = "";
    while (text === "") text = (await chunks.next()).value?.choices[0]?.delta.content ?? "";
    // The provider has sent half, and sends nothing more: neither reader waits for what follows.
    const textOfEvents = () => follower.events.map(({ text: delta = "" }) => delta).join("");
    await follower.until(() => textOfEvents() !== "");
    while (text.length < textOfEvents().length) text += (await chunks.next()).value?.choices[0]?.delta.content ?? "";
    expect(text).toBe(textOfEvents());
    expect([follower.types().includes("reply-end"), await open()]).toEqual([false, 1]);
    await post(`/sessions/${id}/stop`);
  });

  it("has the session's own conversation sent to the model, with its prompt", async () => {
    const { id: endpointId, received } = await endpointPlaying("hello");
    const { ask } = await conversation({ endpointId, systemPrompt: "You are Ada." });
    await ask(user("1"));
    await ask(system("Today is Friday."), user("1"), assistant("Hello! How"), user("2"));
    expect((await received())[0]?.body["messages"]).toEqual([
      { role: "system", content: "Today is Friday.\n\nYou are Ada." },
      user("1"),
      assistant("Hello! How can I assist you today? 🎉"),
      user("2"),
    ]);
    await ask(user("1"), assistant("Hello! How"), user("2"), assistant("Hello!"), user("3"));
    expect((await received())[0]?.body["messages"]).toMatchObject([{ content: "You are Ada." }, {}, {}, {}, {}, {}]);
  });

  it("with an edited message makes a variant", async () => {
    const { id, ask } = await conversation();
    await ask(user("1"));
    await ask(user("1"), assistant("1"), user("2"));
    expect(answerOf(await ask(user("1"), assistant("1"), user("zwei")))).toBe("zwei");
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: zwei", "assistant: zwei"]);
    expect(await treeOf(id)).toHaveLength(6);
    await ask(user("eins"));
    expect(await shownIn(id)).toEqual(["user: eins", "assistant: eins"]);
  });

  it("without its last answer is a regenerate", async () => {
    const { id, ask, stream } = await conversation();
    await ask(user("1"));
    expect(answerOf(await ask(user("1")))).toBe("1");
    expect(await textOf(await stream(user("1")))).toBe("1");
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
    expect((await treeOf(id)).map(({ role }) => role)).toEqual(["user", "assistant", "assistant", "assistant"]);
  });

  it("that ends at an earlier message answers it again, and what followed is another path", async () => {
    const { id, ask } = await conversation();
    await ask(user("1"));
    await ask(user("1"), assistant("1"), user("2"));
    await ask(user("1"));
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
    await ask(user("1"), assistant("1"), user("3"));
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: 3", "assistant: 3"]);
  });

  it("with several new messages has them appended, and the last one answered", async () => {
    const { id, ask } = await conversation();
    await ask(user("a"), assistant("b"), user("c"));
    expect(await shownIn(id)).toEqual(["user: a", "assistant: b", "user: c", "assistant: c"]);
    await ask(user("a"), assistant("other"), user("d"), assistant("e"), user("f"));
    expect((await shownIn(id)).slice(1)).toEqual([
      "assistant: other",
      "user: d",
      "assistant: e",
      "user: f",
      "assistant: f",
    ]);
  });

  it("is asked again under its key, and appends nothing, also when it was edited meanwhile", async () => {
    const { id, chatbotId, ask, model, headers } = await conversation();
    const working = await createEndpoint();
    const key = { ...headers, "idempotency-key": crypto.randomUUID() };
    const first = () => post("/openai/v1/chat/completions", { model, messages: [user("1")] }, { headers: key });
    await put(`/chatbots/${chatbotId}`, { endpointId: await createEndpoint({ params: { fail: 500 } }) });
    expect((await first()).status).toBe(502);
    await put(`/chatbots/${chatbotId}`, { endpointId: working });
    await ask(user("2"));
    expect((await first()).status).toBe(200);
    expect((await treeOf(id)).filter(({ role }) => role === "user").map(({ content }) => content)).toEqual(["1", "2"]);
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
  });

  it("asks a message again that was not answered, and appends nothing", async () => {
    const { id, ask } = await conversation({}, { params: { fail: 503, fail_times: 1 } });
    expect(await errorOf(ask(user("1")))).toMatchObject({ status: 503, code: "provider_overloaded" });
    expect(answerOf(await ask(user("1")))).toBe("1");
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "2" } });
    expect(answerOf(await ask(user("1"), assistant("1"), user("2")))).toBe("2");
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: 2", "assistant: 2"]);
  });

  it("joins the turn that still answers it", async () => {
    const { id: endpointId, received } = await endpointPlaying("hello.slow");
    const { id, ask, stream } = await conversation({ endpointId });
    const texts = await Promise.all([
      ask(user("1")).then(answerOf),
      ask(user("1")).then(answerOf),
      stream(user("1")).then(textOf),
      ask(system("x"), user("1")).then(answerOf),
    ]);
    expect(new Set(texts)).toEqual(new Set(["Hello! How can I assist you today? 🎉"]));
    expect(await received()).toHaveLength(1);
    expect(await shownIn(id)).toHaveLength(2);
  });

  it("under a key adds one turn, however often it comes", async () => {
    const { id, client, model, headers, calls } = await conversation();
    const keyed = { headers: { ...headers, "idempotency-key": crypto.randomUUID() } };
    const body = { model, messages: [user("1")] };
    const ids = [];
    for (let time = 0; time < 3; time += 1) ids.push((await client.chat.completions.create(body, keyed)).id);
    expect(new Set(ids).size).toBe(1);
    expect(calls.map(({ headers: answered }) => answered.get("idempotency-replayed"))).toEqual([null, "true", "true"]);
    expect(await treeOf(id)).toHaveLength(2);
    const other = client.chat.completions.create({ model, messages: [user("2")] }, keyed);
    expect(await errorOf(other)).toMatchObject({ status: 409, code: "idempotency_conflict" });
    expect(calls.at(-1)?.headers.get("x-should-retry")).toBe("false");
  });

  it("goes on after its caller has left, and the client that has half of the answer goes on too", async () => {
    const { id: endpointId } = await endpointPlaying("hello.slow");
    const { id, ask, stream } = await conversation({ endpointId });
    let half = "";
    for await (const { choices } of await stream(user("1"))) {
      half += choices[0]?.delta.content ?? "";
      if (half !== "") break;
    }
    await expect.poll(() => shownIn(id), { timeout: 20_000 }).toHaveLength(2);
    await ask(user("1"), assistant(half), user("2"));
    expect((await shownIn(id)).map((line) => line.slice(0, 9))).toEqual([
      "user: 1",
      "assistant",
      "user: 2",
      "assistant",
    ]);
  });

  it("sends params of the call to the provider", async () => {
    const { id: endpointId, received } = await endpointPlaying("hello", {
      params: { max_tokens: 5 },
      pinned: ["max_tokens"],
    });
    const { client, model, headers } = await conversation({ endpointId, params: { temperature: 1 } });
    const body = { model, messages: [user("1")], temperature: 0, user: "u" };
    await client.chat.completions.create(body, { headers });
    const [sent] = await received();
    expect(sent?.body).toMatchObject({ temperature: 0, max_tokens: 5 });
    expect(sent?.body).not.toHaveProperty("user");
    const pinned = client.chat.completions.create({ ...body, max_tokens: 50 }, { headers });
    expect(await errorOf(pinned)).toMatchObject({ status: 400, param: "max_tokens" });
  });
});

describe("a call in a session is refused", () => {
  it.each<[string, ChatCompletionMessageParam[]]>([
    ["another turn", [user("1"), assistant("1"), user("2")]],
    ["a regenerate", [user("1")]],
    ["an edit", [user("changed")]],
  ])("with a param that the connector cannot use: %s", async (_, messages) => {
    const { id, ask, client, model, headers } = await conversation();
    await ask(user("1"));
    const before = await treeOf(id);
    for (const [param, value] of [
      ["delay_ms", "soon"],
      ["timeout_ms", -1],
    ]) {
      const call = client.chat.completions.create({ model, messages, [param as string]: value }, { headers });
      expect(await errorOf(call)).toMatchObject({ status: 400, param, code: "invalid_input" });
    }
    expect(await treeOf(id)).toEqual(before);
  });

  it("that asks not to be stored", async () => {
    const { id, client, model, headers } = await conversation();
    const call = client.chat.completions.create({ model, messages: [user("1")], store: false }, { headers });
    expect(await errorOf(call)).toMatchObject({ status: 400, param: "store", code: "unsupported_parameter" });
    expect(await treeOf(id)).toEqual([]);
  });

  it.each<[string, ChatCompletionMessageParam[], string]>([
    ["that ends with an answer", [user("1"), assistant("1")], "messages"],
    ["without a message of the user", [system("1")], "messages"],
    ["with a blank message", [user(" ")], "messages[0].content"],
  ])("%s", async (_, messages, param) => {
    const { id, ask } = await conversation();
    expect(await errorOf(ask(...messages))).toMatchObject({ status: 400, code: "unsupported_content", param });
    expect(await treeOf(id)).toEqual([]);
  });

  it("with another model than the session's", async () => {
    const { id, client, headers, model: own } = await conversation();
    for (const model of [`chatbot:${await createChatbot()}`, await createEndpoint(), "nobody"]) {
      const call = client.chat.completions.create({ model, messages: [user("1")] }, { headers });
      const error = await errorOf(call);
      expect(error).toMatchObject({ status: 400, code: "model_mismatch", param: "model" });
      expect(error.message).toBe(`400 This session is with another model: ${own}`);
    }
    expect(await treeOf(id)).toEqual([]);
  });

  it("for a session that does not exist, has ended, or is another client's", async () => {
    const { id, client, model, ask } = await conversation();
    const body = { model, messages: [user("1")] };
    for (const session of ["nobody", "0".repeat(24)]) {
      const call = client.chat.completions.create(body, { headers: { "x-parley-session": session } });
      expect(await errorOf(call)).toMatchObject({ status: 404 });
    }
    const { key } = (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data;
    const foreign = openaiClient(key).client.chat.completions.create(body, { headers: { "x-parley-session": id } });
    expect(await errorOf(foreign)).toMatchObject({ status: 404, code: "not_found" });
    await post(`/sessions/${id}/end`);
    expect(await errorOf(ask(user("1")))).toMatchObject({ status: 404, code: "session_not_active" });
  });

  it("where a client speaks for others", async () => {
    const { id, clientId, model, headers } = await conversation();
    const { key } = (await post("/keys", { name: "k", role: "client", clientId })).body.data;
    const { client } = openaiClient(key);
    const ask = (...messages: ChatCompletionMessageParam[]) =>
      client.chat.completions.create({ model, messages }, { headers });
    expect(await errorOf(ask(system("x"), user("1")))).toMatchObject({ status: 400, code: "unsupported_content" });
    expect(await errorOf(ask(user("a"), assistant("b"), user("c")))).toMatchObject({ status: 400, param: "messages" });
    const withParam = client.chat.completions.create({ model, messages: [user("1")], temperature: 1 }, { headers });
    expect(await errorOf(withParam)).toMatchObject({ status: 400, param: "temperature" });
    expect(await treeOf(id)).toEqual([]);
    expect(answerOf(await ask(user("1")))).toBe("1");
    expect(answerOf(await ask(user("a"), user("b")))).toBe("b");
  });

  it("while a person handles it: the message is kept, and the call is not repeated", async () => {
    const { id, client, model, headers } = await conversation();
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    const repeating = openaiClient();
    for (const stream of [false, true]) {
      const messages = stream ? [user("1"), user("2")] : [user("1")];
      const error = await errorOf(repeating.client.chat.completions.create({ model, messages, stream }, { headers }));
      expect(error).toMatchObject({ status: 409, code: "human_handles" });
    }
    expect(repeating.calls).toHaveLength(2);
    expect(await shownIn(id)).toEqual(["user: 1", "user: 2"]);
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "assistant", content: "I am Grace" } });
    await post(`/sessions/${id}/handback`, {});
    const messages = [user("1"), user("2"), user("3")];
    expect(answerOf(await client.chat.completions.create({ model, messages }, { headers }))).toBe("3");
    expect(await shownIn(id)).toEqual(["user: 1", "user: 2", "assistant: I am Grace", "user: 3", "assistant: 3"]);
  });

  it.each(["chat/completions", "responses"])(
    "and answered under its key, behind the person's words, once the chatbot answers again: %s",
    async (route) => {
      const { id, model } = await conversation();
      await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
      const key = { "idempotency-key": crypto.randomUUID() };
      const body = route === "responses" ? { model, input: "1", conversation: id } : { model, messages: [user("1")] };
      const headers = route === "responses" ? key : { ...key, "x-parley-session": id };
      const ask = async () => (await post(`/openai/v1/${route}`, body, { headers })).status;
      expect([await ask(), await ask()]).toEqual([409, 409]);
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "assistant", content: "I am Grace" } });
      await post(`/sessions/${id}/handback`, {});
      expect([await ask(), await ask()]).toEqual([200, 200]);
      expect(await shownIn(id)).toEqual(["user: 1", "assistant: I am Grace", "assistant: 1"]);
      await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
      const repeat = () => post(`/openai/v1/responses`, { model, input: "2", conversation: id });
      expect([(await repeat()).status, (await repeat()).status]).toEqual([409, 409]);
      expect((await shownIn(id)).filter((message) => message === "user: 2")).toHaveLength(1);
    },
  );

  it("with the failure of the provider, as without a session", async () => {
    const { id: endpointId } = await endpointPlaying("429:long", { params: { max_attempts: 1 } });
    const { ask, stream } = await conversation({ endpointId });
    for (const call of [ask, stream]) {
      const error = await errorOf(call(user("1")));
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      expect(error.headers?.get("retry-after")).toBe("500");
    }
  });
});

describe("store: true", () => {
  it("makes a session for the client that is named, and names the session", async () => {
    const externalId = crypto.randomUUID();
    const clientId = await createClient({ externalId });
    const model = `chatbot:${await createChatbot({ greeting: "Welcome" })}`;
    const { client } = openaiClient();
    const body = { model, messages: [user("1")], store: true };
    for (const named of [{ metadata: { client_id: clientId, topic: "a" } }, { user: externalId }]) {
      const { data, response } = await client.chat.completions.create({ ...body, ...named }).withResponse();
      expect(data.choices[0]?.message.content).toBe("1");
      const id = response.headers.get("x-parley-session") ?? "";
      expect(await shownIn(id)).toEqual(["assistant: Welcome", "user: 1", "assistant: 1"]);
      const session = (await get(`/sessions/${id}`)).body.data;
      expect([session.clientId.id, session.metadata]).toEqual([
        clientId,
        "metadata" in named ? { topic: "a" } : undefined,
      ]);
      const headers = { "x-parley-session": id };
      await client.chat.completions.create({ model, messages: [user("1"), assistant("1"), user("2")] }, { headers });
      expect(await shownIn(id)).toHaveLength(5);
    }
  });

  it("goes on in the session that is named, and makes none", async () => {
    const { id, client, clientId, model, headers } = await conversation();
    const other = await createClient();
    const before = (await get("/sessions")).body.data.total;
    const body = { model, store: true, metadata: { client_id: other }, messages: [user("1")] };
    const { response } = await client.chat.completions.create(body, { headers }).withResponse();
    expect(response.headers.get("x-parley-session")).toBe(id);
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1"]);
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ clientId: { id: clientId } });
    expect((await get("/sessions")).body.data.total).toBe(before);
  });

  it("makes a session of a client's own", async () => {
    const clientId = await createClient();
    const { key } = (await post("/keys", { name: "k", role: "client", clientId })).body.data;
    const model = `chatbot:${await createChatbot()}`;
    const call = openaiClient(key).client.chat.completions.create({ model, messages: [user("1")], store: true });
    const { response } = await call.withResponse();
    const { body } = await get(`/sessions/${response.headers.get("x-parley-session")}`, { token: key });
    expect(body.data.clientId.id).toBe(clientId);
  });

  it("makes one session and one turn under a key", async () => {
    const model = `chatbot:${await createChatbot()}`;
    const metadata = { client_id: await createClient() };
    const { client } = openaiClient();
    const options = { headers: { "idempotency-key": crypto.randomUUID() } };
    const body = { model, messages: [user("1")], store: true, metadata };
    const sessions = [];
    for (const stream of [false, true, false]) {
      const { response } = await client.chat.completions.create({ ...body, stream }, options).withResponse();
      sessions.push(response.headers.get("x-parley-session") ?? "");
    }
    expect(new Set(sessions).size).toBe(1);
    expect(await treeOf(sessions[0] ?? "")).toHaveLength(2);
  });

  it("makes no session for messages that a client may not add", async () => {
    const clientId = await createClient();
    const model = `chatbot:${await createChatbot()}`;
    const token = (await post("/keys", { name: "k", role: "client", clientId })).body.data.key;
    const messages = [user("1"), { role: "assistant", content: "2" }, user("3")];
    const before = await kept();
    for (const [route, body] of [
      ["chat/completions", { model, messages, store: true }],
      ["responses", { model, input: messages }],
    ] as const)
      expect((await post(`/openai/v1/${route}`, body, { token })).status).toBe(400);
    expect(await kept()).toEqual(before);
  });

  it("needs a chatbot and a client that exist", async () => {
    const model = `chatbot:${await createChatbot()}`;
    const { client } = openaiClient();
    const count = async () => env.DB.prepare("select count(*) as n from sessions").first("n");
    const before = await count();
    const store = (fields: object) =>
      errorOf(client.chat.completions.create({ model, messages: [user("1")], store: true, ...fields }));
    expect(await store({})).toMatchObject({ status: 400, code: "unsupported_parameter", param: "store" });
    expect(await store({ user: "nobody" })).toMatchObject({ status: 404, code: "not_found", param: "user" });
    const unknown = await store({ metadata: { client_id: "0".repeat(24) } });
    expect(unknown).toMatchObject({ status: 404, param: "metadata.client_id" });
    expect(await store({ model: `chatbot:${"0".repeat(24)}`, user: "x" })).toMatchObject({ code: "model_not_found" });
    expect(await count()).toBe(before);
  });
});
