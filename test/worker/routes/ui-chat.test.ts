/** `/ui/chat`, by the AI SDK's own chat and transport. */
import { env, exports } from "cloudflare:workers";
import type { UIMessage } from "ai";
import { describe, expect, it, vi } from "vitest";
import { openChat, textsOf } from "../../support/ai-sdk.ts";
import type { TransportCall } from "../../support/ai-sdk.ts";
import { ADMIN_KEY, get, post, put } from "../../support/api.ts";
import { endpointPlaying } from "../../support/openai.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";

/** A session with a chatbot on an echo endpoint. */
async function conversation(params: Record<string, unknown> = {}, chatbot: Record<string, unknown> = {}) {
  const clientId = await createClient();
  const endpointId = await createEndpoint({ params });
  const chatbotId = await createChatbot({ endpointId, ...chatbot });
  const id = await createSession({ chatbotId, clientId });
  const clientKey = async (): Promise<string> =>
    (await post("/keys", { name: "end user", role: "client", clientId })).body.data.key;
  return { id, clientId, endpointId, chatbotId, clientKey };
}

const SLOW = { tokens_per_second: 20 };

const historyOf = async (id: string, token?: string): Promise<UIMessage[]> =>
  (await get(`/ui/chat/${id}`, token === undefined ? {} : { token })).body;

/** Every message of a session, and which are active. */
const treeOf = async (id: string): Promise<{ seq: number; role: string; content: string; active: boolean }[]> =>
  (await get(`/sessions/${id}/messages?tree=true`)).body.data.messages;

const typesOf = (call: TransportCall | undefined) => call?.parts.map(({ type }) => type);

const openStream = (id: string, token: string): Promise<Response> =>
  exports.default.fetch(`http://parley.test/ui/chat/${id}/stream`, { headers: { authorization: `Bearer ${token}` } });

/** Waits for the beginning of a reply. */
const untilReplied = (chat: { messages: UIMessage[] }) =>
  vi.waitFor(() => expect(textsOf(chat.messages).at(-1)).toMatch(/^assistant: one two/), { timeout: 10_000 });

const lastOf = <T>(items: T[]): T => items.at(-1) as T;

describe("sending", () => {
  it("streams the reply, and keeps both messages", async () => {
    const { id } = await conversation();
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one two" });
    expect(textsOf(chat.messages)).toEqual(["user: one two", "assistant: one two"]);
    expect(chat.status).toBe("ready");
    expect(calls[0]?.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    expect(calls[0]?.headers.get("content-type")).toBe("text/event-stream");
    expect(new Set(typesOf(calls[0]))).toEqual(new Set(["start", "text-start", "text-delta", "text-end", "finish"]));
    expect(calls[0]?.text).toMatch(/data: \[DONE\]\n\n$/);
    expect(lastOf(chat.messages).metadata).toEqual({
      usage: { inputTokens: 2, outputTokens: 2 },
      durationMs: expect.any(Number),
      ttftMs: expect.any(Number),
    });
    await chat.sendMessage({ text: "three" });
    expect(textsOf(await historyOf(id))).toEqual(textsOf(chat.messages));
  });

  it("sends the reply as it comes", async () => {
    const { id } = await conversation(SLOW);
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one two three four five" });
    expect(typesOf(calls[0])?.filter((type) => type === "text-delta").length).toBeGreaterThan(2);
  });

  it("has the ids of the stream in the history", async () => {
    const { id } = await conversation({}, { greeting: "Hi" });
    const { chat } = openChat(id, { messages: await historyOf(id) });
    await chat.sendMessage({ text: "one" });
    const history = await historyOf(id);
    expect(history.map((message) => message.id)).toEqual(["seq-1", "seq-2", lastOf(chat.messages).id]);
    expect(lastOf(history).metadata).toEqual(lastOf(chat.messages).metadata);
    expect(lastOf(history).id).toMatch(/^[0-9a-f]{24}$/);
  });

  it("names its message before there is any text, so that the reply can be stopped", async () => {
    const { id } = await conversation({ delay_ms: 3_000 });
    const body = { id, messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "1" }] }] };
    const answer = await exports.default.fetch("http://parley.test/ui/chat", {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ ...body, trigger: "submit-message" }),
    });
    const reader = answer.body?.getReader();
    const text = new TextDecoder().decode((await reader?.read())?.value);
    expect(text).toMatch(/^data: \{"type":"start","messageId":"[0-9a-f]{24}"\}\n\n$/);
    expect((await post(`/sessions/${id}/stop`, {})).status).toBe(200);
    await reader?.cancel();
  });

  it.each(["/ui/chat", "/sessions/chat"])("stands in the place of a reply that broke off: %s", async (route) => {
    const { id, chatbotId } = await conversation();
    const { id: endpointId } = await endpointPlaying("hello.reset", { params: { max_attempts: 1 } });
    const message = { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: "one" }] };
    const ask = () =>
      route === "/ui/chat"
        ? post(route, { id, messages: [message], trigger: "submit-message" })
        : post(`${route}?sessionId=${id}`, { content: "one" }, { headers: { "idempotency-key": message.id } });
    await put(`/chatbots/${chatbotId}`, { endpointId });
    await ask();
    expect(await treeOf(id)).toMatchObject([{ content: "one" }, { role: "assistant", active: true }]);
    await put(`/chatbots/${chatbotId}`, { endpointId: await createEndpoint() });
    await ask();
    await ask();
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
    expect((await treeOf(id)).map(({ active }) => active)).toEqual([true, false, true]);
  });

  it.each(["/ui/chat", "/sessions/chat"])(
    "has what a person wrote meanwhile sent with it, if it is repeated: %s",
    async (route) => {
      const { id, chatbotId } = await conversation();
      const message = { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: "one" }] };
      const headers = { "idempotency-key": message.id };
      const ask = () =>
        route === "/ui/chat"
          ? post(route, { id, messages: [message], trigger: "submit-message" })
          : post(`${route}?sessionId=${id}`, { content: "one", expectedSeq: 0 }, { headers });
      await put(`/chatbots/${chatbotId}`, { endpointId: (await endpointPlaying("400")).id });
      await ask();
      await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "assistant", content: "I am Grace" } });
      await post(`/sessions/${id}/handback`, {});
      const { id: endpointId, received } = await endpointPlaying("hello");
      await put(`/chatbots/${chatbotId}`, { endpointId });
      await ask();
      expect((await received()).at(-1)?.body["messages"]).toMatchObject([
        { content: expect.stringContaining("I am Grace") },
        { role: "user", content: "one" },
      ]);
      expect(textsOf(await historyOf(id))).toEqual([
        "user: one",
        "assistant: I am Grace",
        expect.stringMatching(/^assistant: Hello!/),
      ]);
    },
  );

  it("makes one turn of a call that is repeated", async () => {
    const { id } = await conversation(SLOW);
    const body = (text: string) => ({
      id,
      messages: [{ id: "a-message", role: "user", parts: [{ type: "text", text }] }],
      trigger: "submit-message",
    });
    const [first, second] = await Promise.all([post("/ui/chat", body("one two")), post("/ui/chat", body("one two"))]);
    const third = await post("/ui/chat", body("one two"));
    expect(third.headers.get("idempotency-replayed")).toBe("true");
    const startOf = (text: string) => text.split("\n\n")[0];
    expect([startOf(second.body), startOf(third.body)]).toEqual([startOf(first.body), startOf(first.body)]);
    expect(await treeOf(id)).toHaveLength(2);
    expect((await post("/ui/chat", body("another"))).body.error.code).toBe("idempotency_conflict");
  });

  it("takes the text of all parts, and nothing but text", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({
      parts: [
        { type: "text", text: "one" },
        { type: "text", text: "two" },
      ],
    });
    expect(textsOf(await historyOf(id))).toEqual(["user: one\ntwo", "assistant: one\ntwo"]);
    await chat.sendMessage({ text: "this", files: [{ type: "file", mediaType: "image/png", url: "data:," }] });
    expect(JSON.parse(chat.error?.message ?? "").error).toMatchObject({
      code: "invalid_input",
      details: [{ path: "messages.2.parts.0", message: "only parts of type text are supported" }],
    });
    expect(await treeOf(id)).toHaveLength(2);
  });

  it.each([
    ["no user message last", [{ id: "a", role: "assistant", parts: [] }], {}, "messages"],
    ["a blank text", [{ id: "a", role: "user", parts: [{ type: "text", text: " " }] }], {}, "messages.0.parts"],
    ["no text", [{ id: "a", role: "user", parts: [] }], {}, "messages.0.parts"],
    [
      "a long text",
      [{ id: "a", role: "user", parts: [{ type: "text", text: "x".repeat(100_001) }] }],
      {},
      "messages.0.parts",
    ],
    ["another id", [{ id: "a", role: "user", parts: [{ type: "text", text: "x" }] }], { messageId: "b" }, "messageId"],
    ["no messages", [], {}, "messages"],
  ])("refuses %s", async (_, messages, more, path) => {
    const { id } = await conversation();
    const { status, body } = await post("/ui/chat", { id, messages, trigger: "submit-message", ...more });
    expect([status, body.error.details[0].path]).toEqual([400, path]);
    expect(await treeOf(id)).toEqual([]);
  });
});

describe("another reply", () => {
  it("stands in place of the last one", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    const [, first] = chat.messages;
    await chat.regenerate();
    expect(textsOf(chat.messages)).toEqual(["user: one", "assistant: one"]);
    expect(lastOf(chat.messages).id).not.toBe(first?.id);
    expect((await historyOf(id)).map((message) => message.id)).toEqual(["seq-1", lastOf(chat.messages).id]);
    expect((await treeOf(id)).map(({ role, active }) => [role, active])).toEqual([
      ["user", true],
      ["assistant", false],
      ["assistant", true],
    ]);
  });

  it("can stand in place of an earlier one, by its id", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    await chat.regenerate({ messageId: chat.messages[1]?.id ?? "" });
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
    await chat.sendMessage({ text: "three" });
    expect(textsOf(await historyOf(id))).toEqual(textsOf(chat.messages));
  });

  it("answers a message of the user, by its id in the page and in the history", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    await chat.regenerate({ messageId: chat.messages[0]?.id ?? "" });
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
    const reopened = openChat(id, { messages: await historyOf(id) });
    await reopened.chat.regenerate({ messageId: "seq-1" });
    expect((await historyOf(id)).map((message) => message.id)).toEqual(["seq-1", lastOf(reopened.chat.messages).id]);
  });

  it("is what follows a reply that failed", async () => {
    const { id } = await conversation({ fail: 500, fail_times: 1 });
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    expect(chat.status).toBe("error");
    await chat.regenerate();
    expect(textsOf(chat.messages)).toEqual(["user: one", "assistant: one"]);
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
  });

  it("is the first one for a message that was refused", async () => {
    const { id } = await conversation();
    await put(`/sessions/${id}`, { status: "COMPLETED" });
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one" });
    expect(calls[0]?.status).toBe(404);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    await chat.regenerate();
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
    await chat.regenerate();
    expect(textsOf(await historyOf(id))).toEqual(["user: one", "assistant: one"]);
    expect(await treeOf(id)).toHaveLength(3);
  });

  it("is the one that comes already, while it comes", async () => {
    const { id } = await conversation(SLOW);
    const { chat } = openChat(id);
    const text = "one two three four five six seven eight";
    const sent = chat.sendMessage({ text });
    await untilReplied(chat);
    await chat.stop();
    await sent;
    await chat.regenerate();
    expect(textsOf(chat.messages)).toEqual([`user: ${text}`, `assistant: ${text}`]);
    expect(await treeOf(id)).toHaveLength(2);
  });

  it("answers the last message when the client does not say which", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    await post("/ui/chat", { id, messages: [], trigger: "regenerate-message" });
    expect(await treeOf(id)).toHaveLength(5);
    expect(textsOf(await historyOf(id))).toEqual(textsOf(chat.messages));
  });

  it("is not there for a greeting, and not for what is not there", async () => {
    const { id } = await conversation({}, { greeting: "Hi" });
    const { chat, calls } = openChat(id, { messages: await historyOf(id) });
    await chat.regenerate();
    expect(calls[0]?.status).toBe(409);
    for (const messageId of ["seq-1", "seq-99", "0123456789abcdef01234567", "unknown"]) {
      const { status, body } = await post("/ui/chat", { id, messages: [], trigger: "regenerate-message", messageId });
      expect([messageId, status, body.error.code]).toEqual([messageId, 409, "nothing_to_answer"]);
    }
    expect(await treeOf(id)).toHaveLength(1);
  });
});

describe("a message that is changed", () => {
  it("is another path, by its id in the page", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    const messageId = chat.messages[2]?.id ?? "";
    for (const text of ["zwei", "deux", "two", "zwei"]) {
      await chat.sendMessage({ text, messageId });
      expect(textsOf(await historyOf(id))).toEqual([
        "user: one",
        "assistant: one",
        `user: ${text}`,
        `assistant: ${text}`,
      ]);
      expect(textsOf(chat.messages)).toEqual(textsOf(await historyOf(id)));
    }
    expect(await treeOf(id)).toHaveLength(12);
    await chat.regenerate();
    expect(textsOf(await historyOf(id)).at(-1)).toBe("assistant: zwei");
    expect(await treeOf(id)).toHaveLength(13);
  });

  it("is another path, by its id in the history", async () => {
    const { id } = await conversation({}, { greeting: "Hi" });
    await openChat(id).chat.sendMessage({ text: "one" });
    const { chat } = openChat(id, { messages: await historyOf(id) });
    await chat.sendMessage({ text: "eins", messageId: "seq-2" });
    expect(textsOf(await historyOf(id))).toEqual(["assistant: Hi", "user: eins", "assistant: eins"]);
    await chat.regenerate();
    expect(textsOf(await historyOf(id))).toEqual(["assistant: Hi", "user: eins", "assistant: eins"]);
  });

  it("is changed once by a call that is repeated", async () => {
    const { id } = await conversation();
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "eins", messageId: chat.messages[0]?.id ?? "" });
    const repeated = await post("/ui/chat", calls[1]?.body);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    expect(await treeOf(id)).toHaveLength(4);
  });

  it("is the user's, not the chatbot's", async () => {
    const { id } = await conversation({}, { greeting: "Hi" });
    const messages = [{ id: "seq-1", role: "user", parts: [{ type: "text", text: "x" }] }];
    const { status, body } = await post("/ui/chat", { id, messages, trigger: "submit-message", messageId: "seq-1" });
    expect([status, body.error.code]).toEqual([409, "nothing_to_edit"]);
  });
});

describe("a page that is opened again", () => {
  it.each([false, true])("in mid-stream shows the whole reply once, if it says what it has: %s", async (sayLast) => {
    const { id } = await conversation(SLOW);
    const text = "one two three four five six seven eight";
    const { chat } = openChat(id);
    const sent = chat.sendMessage({ text });
    await untilReplied(chat);
    await chat.stop();
    await sent;
    const reopened = openChat(id, { messages: await historyOf(id), sayLast });
    expect(textsOf(reopened.chat.messages)).toEqual([`user: ${text}`]);
    await reopened.chat.resumeStream();
    expect(reopened.calls[0]?.status).toBe(200);
    expect(typesOf(reopened.calls[0])?.slice(0, 3)).toEqual(["start", "text-start", "text-delta"]);
    expect(textsOf(reopened.chat.messages)).toEqual([`user: ${text}`, `assistant: ${text}`]);
    expect(lastOf(reopened.chat.messages).id).toBe(lastOf(chat.messages).id);
    expect(lastOf(reopened.chat.messages)).toMatchObject(lastOf(await historyOf(id)));
  });

  it("gets 204 when no reply runs", async () => {
    const { id } = await conversation();
    const { chat, calls } = openChat(id);
    await chat.resumeStream();
    await chat.sendMessage({ text: "one" });
    await chat.resumeStream();
    expect(calls.map(({ status }) => status)).toEqual([204, 200, 204]);
    await post(`/sessions/${id}/end`);
    await chat.resumeStream();
    expect(lastOf(calls).status).toBe(204);
    expect(textsOf(chat.messages)).toEqual(["user: one", "assistant: one"]);
  });

  it("shows a reply once that has ended after the history was read, if it says what it has", async () => {
    const { id } = await conversation(SLOW);
    const { chat } = openChat(id);
    const sent = chat.sendMessage({ text: "one two three four" });
    await untilReplied(chat);
    const before = await historyOf(id);
    await sent;
    expect(textsOf(before)).toEqual(["user: one two three four"]);
    const reopened = openChat(id, { messages: before, sayLast: true });
    await reopened.chat.resumeStream();
    expect(reopened.calls.map(({ path, status }) => [path, status])).toEqual([[`/ui/chat/${id}/stream`, 200]]);
    expect(reopened.chat.messages).toMatchObject(await historyOf(id));
    expect(textsOf(reopened.chat.messages)).toEqual(["user: one two three four", "assistant: one two three four"]);
    const complete = openChat(id, { messages: await historyOf(id), sayLast: true });
    await complete.chat.resumeStream();
    expect(complete.calls.map(({ status }) => status)).toEqual([204]);
    await chat.sendMessage({ text: "five" });
    await reopened.chat.resumeStream();
    const stale = openChat(id, { messages: before, sayLast: true });
    await stale.chat.resumeStream();
    expect([...reopened.calls, ...stale.calls].map(({ status }) => status)).toEqual([200, 204, 204]);
  });

  it("shows that a reply without text has failed meanwhile, if it says what it has", async () => {
    const { id } = await conversation({ fail: 500 });
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    await chat.regenerate();
    const reopened = openChat(id, { messages: await historyOf(id), sayLast: true });
    await reopened.chat.resumeStream();
    expect(typesOf(reopened.calls[0])).toEqual(["start", "error"]);
    expect(reopened.chat.error?.message).toMatch(/500/);
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "two" } });
    const complete = openChat(id, { messages: await historyOf(id), sayLast: true });
    await complete.chat.resumeStream();
    expect(complete.calls[0]?.status).toBe(204);
  });

  it("shows it to a client also when a message follows that the client does not see", async () => {
    const { id, clientKey } = await conversation();
    const token = await clientKey();
    await openChat(id, { token }).chat.sendMessage({ text: "one" });
    const before = (await historyOf(id, token)).slice(0, 1);
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: "Be kind." } });
    const reopened = openChat(id, { token, messages: before, sayLast: true });
    await reopened.chat.resumeStream();
    expect(textsOf(reopened.chat.messages)).toEqual(["user: one", "assistant: one"]);
  });

  it("shows the new reply once that took the place of another one meanwhile", async () => {
    const { id } = await conversation();
    const { chat } = openChat(id);
    await chat.sendMessage({ text: "one" });
    const before = (await historyOf(id)).slice(0, 1);
    await chat.regenerate();
    const reopened = openChat(id, { messages: before, sayLast: true });
    await reopened.chat.resumeStream();
    expect(reopened.chat.messages).toMatchObject(await historyOf(id));
  });

  it("is a follower of its session while it reads", async () => {
    const { id, clientKey } = await conversation(SLOW);
    const token = await clientKey();
    const { chat } = openChat(id, { token });
    const sent = chat.sendMessage({ text: "one two ".repeat(100) });
    await untilReplied(chat);
    const following = await Promise.all(Array.from({ length: 20 }, () => openStream(id, token)));
    expect(following.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await openStream(id, token)).status).toBe(429);
    expect(
      (await env.DB.prepare("select count(*) as n from subscriptions where session_id = ?").bind(id).first())?.["n"],
    ).toBe(1);
    await Promise.all(following.map(async ({ body }) => body?.cancel()));
    await post(`/sessions/${id}/stop`);
    await sent;
  });

  it("gets 404 for a session that is not there", async () => {
    const { chat, calls } = openChat("0123456789abcdef01234567");
    await chat.resumeStream();
    expect(calls[0]?.status).toBe(404);
    expect((await get("/ui/chat/0123456789abcdef01234567")).status).toBe(404);
    expect((await get("/ui/chat/nothing/stream")).status).toBe(404);
  });
});

describe("a reply that fails", () => {
  it("is an error, in words of ours for a client", async () => {
    const { id, clientKey } = await conversation({ fail: 500 });
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one" });
    expect(typesOf(calls[0])).toEqual(["start", "error"]);
    expect(chat.error?.message).toMatch(/500/);
    const asClient = openChat(id, { token: await clientKey() });
    await asClient.chat.sendMessage({ text: "two" });
    expect(asClient.chat.error?.message).toMatch(/\w/);
    expect(asClient.chat.error?.message).not.toMatch(/500/);
    expect(lastOf(asClient.calls).text).toMatch(/data: \[DONE\]\n\n$/);
  });
});

describe("stopping", () => {
  it("in the page leaves the reply running; the session's own call ends it", async () => {
    const { id } = await conversation(SLOW);
    const { chat } = openChat(id);
    const sent = chat.sendMessage({ text: "one two three four five six seven eight nine ten" });
    await untilReplied(chat);
    await chat.stop();
    await sent;
    const resumed = openChat(id, { messages: await historyOf(id) });
    const following = resumed.chat.resumeStream();
    await untilReplied(resumed.chat);
    expect((await post(`/sessions/${id}/stop`)).body.data).toEqual({ stopped: true });
    await following;
    expect(resumed.chat.status).toBe("ready");
    expect(lastOf(resumed.chat.messages).metadata).toMatchObject({ finishReason: "cancelled" });
    expect(textsOf(resumed.chat.messages)).toEqual(textsOf(await historyOf(id)));
  });
});

describe("a person who takes over", () => {
  const takeOver = (id: string) => post(`/sessions/${id}/takeover`, { operator: { id: "7", name: "Ada" } });

  it("is named in the stream, and the message is kept", async () => {
    const { id } = await conversation();
    await takeOver(id);
    const { chat, calls } = openChat(id);
    await chat.sendMessage({ text: "one" });
    expect(calls[0]?.parts).toEqual([
      { type: "start", messageId: expect.any(String) },
      { type: "data-handler", data: { handler: "human" } },
      { type: "finish" },
    ]);
    expect(textsOf(await historyOf(id))).toEqual(["user: one"]);
    await chat.regenerate();
    expect(JSON.parse(chat.error?.message ?? "").error.code).toBe("human_handles");
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "assistant", content: "Hello" } });
    expect(lastOf(await historyOf(id))).toEqual({
      id: "seq-2",
      role: "assistant",
      parts: [{ type: "text", text: "Hello" }],
      metadata: { author: { kind: "human", id: "7", name: "Ada" } },
    });
  });

  it("ends a reply that runs", async () => {
    const { id } = await conversation(SLOW);
    const { chat, calls } = openChat(id);
    const sent = chat.sendMessage({ text: "one two three four five six seven eight nine ten" });
    await untilReplied(chat);
    await takeOver(id);
    await sent;
    expect(chat.status).toBe("ready");
    expect(typesOf(calls[0])?.slice(-3)).toEqual(["text-end", "data-handler", "finish"]);
  });
});

describe("a client", () => {
  it("chats in its own sessions only", async () => {
    const own = await conversation();
    const other = await conversation();
    const token = await own.clientKey();
    const { chat } = openChat(own.id, { token });
    await chat.sendMessage({ text: "one" });
    expect(textsOf(await historyOf(own.id, token))).toEqual(["user: one", "assistant: one"]);
    const { chat: foreign, calls } = openChat(other.id, { token });
    await foreign.sendMessage({ text: "one" });
    await foreign.resumeStream();
    expect(calls.map(({ status }) => status)).toEqual([404, 404]);
    const missing = openChat("0123456789abcdef01234567");
    await missing.chat.sendMessage({ text: "one" });
    const errorIn = ({ chat: { error } }: { chat: { error: Error | undefined } }) => {
      const { requestId: _, ...rest } = JSON.parse(error?.message ?? "").error;
      return rest;
    };
    const again = openChat(other.id, { token });
    await again.chat.sendMessage({ text: "one" });
    expect(errorIn(again)).toEqual(errorIn(missing));
    expect((await get(`/ui/chat/${other.id}`, { token })).status).toBe(404);
    expect(await historyOf(other.id)).toEqual([]);
  });

  it("sees no system messages", async () => {
    const { id, clientKey } = await conversation();
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: "Be kind." } });
    expect(textsOf(await historyOf(id))).toEqual(["system: Be kind."]);
    expect(await historyOf(id, await clientKey())).toEqual([]);
  });
});

describe("a long conversation", () => {
  it("is shown by its newest messages, and says so", async () => {
    const { id } = await conversation();
    for (let batch = 0; batch < 11; batch += 1)
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          post(
            `/sessions/message?sessionId=${id}`,
            { message: { role: "user", content: `${batch} ${index}` } },
            {
              headers: { prefer: "return=minimal" },
            },
          ),
        ),
      );
    const { body, headers } = await get(`/ui/chat/${id}`);
    expect(body).toHaveLength(1_000);
    expect(body[0].id).toBe("seq-101");
    expect(headers.get("x-parley-truncated")).toBe("true");
  });
});
