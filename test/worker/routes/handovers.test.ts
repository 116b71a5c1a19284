/** Hand-overs between the bot and a person: who may change what, what a chat answers meanwhile, and what the model gets afterwards. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it, vi } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, createSession, unique } from "../../support/create.ts";
import { connect, followEvents } from "../../support/follow.ts";

const upstream = inject("upstream");
const GRACE = { id: "grace", name: "Grace" };

const keyOf = async (role: string, fields: object = {}): Promise<{ token: string; id: string; name: string }> => {
  const { data } = (await post("/keys", { name: unique(role), role, ...fields })).body;
  return { token: data.key, id: data.id, name: data.name };
};
const chat = (id: string, content: string, headers: Record<string, string> = {}) =>
  post(`/sessions/chat?sessionId=${id}`, { content }, { headers });
const say = (id: string, role: string, content: string, options = {}) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content } }, options);
const takeOver = (id: string, body: object = { operator: GRACE }) => post(`/sessions/${id}/takeover`, body);
const messagesOf = async (id: string) => (await get(`/sessions/${id}/messages`)).body.data.messages;
const contentsOf = async (id: string) => (await messagesOf(id)).map(({ content }: { content: string }) => content);

/** A session whose bot repeats a prompt word by word. */
const createSlowSession = async (fields: object = {}) =>
  createSession({
    chatbotId: await createChatbot({
      endpointId: await createEndpoint({ params: { tokens_per_second: 20 } }),
      ...fields,
    }),
  });

describe("a client that asks for a person", () => {
  it("waits from the first request on, while the bot goes on answering", async () => {
    const id = await createSession();
    const first = await post(`/sessions/${id}/request-human`, { reason: "It is urgent" });
    expect(first.body.data).toMatchObject({ handler: "waiting", handover: { reason: "It is urgent" } });
    const second = await post(`/sessions/${id}/request-human`, { reason: "Hello?" });
    expect(second.body.data).toEqual(first.body.data);
    expect((await chat(id, "Hi")).body.data).toMatchObject({ role: "assistant", content: "Hi" });
    expect((await get(`/sessions/${id}`)).body.data.handler).toBe("waiting");
  });

  it("changes nothing while a person answers", async () => {
    const id = await createSession();
    await takeOver(id);
    expect((await post(`/sessions/${id}/request-human`, {})).body.data).toMatchObject({
      handler: "human",
      handover: { operator: GRACE },
    });
  });

  it("sees who answers, and neither reason nor note", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    const { token } = await keyOf("client", { clientId });
    await post(`/sessions/${id}/request-human`, { reason: "secret" });
    expect((await post(`/sessions/${id}/request-human`, {}, { token })).body.data).toEqual({ handler: "waiting" });
    const { data } = (await get(`/sessions/${id}`, { token })).body;
    expect([data.handler, data.handover]).toEqual(["waiting", undefined]);
    expect((await get(`/sessions/${id}`)).body.data.handover.reason).toBe("secret");
  });

  it("is in the list of those who wait at once, behind those who have waited longer", async () => {
    const chatbotId = await createChatbot();
    const [first, second, third] = [
      await createSession({ chatbotId, title: "A parcel" }),
      await createSession({ chatbotId, title: "Another parcel" }),
      await createSession({ chatbotId, title: "A third parcel" }),
    ];
    const list = async (query: string) => (await get(`/sessions?chatbotId=${chatbotId}&${query}`)).body.data;
    const idsOf = async (query: string) => (await list(query)).results.map(({ id }: { id: string }) => id);
    const order = [second, third, first];
    for (const id of order) {
      await post(`/sessions/${id}/request-human`, {});
      expect(await idsOf("handler=waiting")).toContain(id);
    }
    expect(await idsOf("handler=waiting")).toEqual(order);
    for (const [skip, id] of order.entries())
      expect(await idsOf(`handler=waiting&searchString=parcel&limit=1&skip=${skip}`)).toEqual([id]);
    await takeOver(second);
    expect(await idsOf("handler=waiting")).toEqual([third, first]);
    const counts = () =>
      Promise.all(["bot", "waiting", "human"].map(async (one) => (await list(`handler=${one}`)).paginatorInfo.total));
    expect(await counts()).toEqual([0, 2, 1]);
    await post(`/sessions/${second}/handback`, {});
    expect(await counts()).toEqual([1, 2, 0]);
  });
});

describe("a person who takes over", () => {
  it("stops the running reply and keeps its text, for the caller, the stream and the log", async () => {
    const id = await createSlowSession();
    const text = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
    const follower = await followEvents(`/sessions/${id}/events`);
    const asked = chat(id, text);
    await follower.next("reply-delta", 2);
    expect((await takeOver(id)).body.data).toMatchObject({ handler: "human", handover: { operator: GRACE } });
    const logged = await messagesOf(id);
    const { status, body } = await asked;
    expect([status, body.data.finishReason]).toEqual([200, "cancelled"]);
    expect(text.startsWith(body.data.content)).toBe(true);
    expect(body.data.content.length).toBeLessThan(text.length);
    expect(logged.at(-1)).toMatchObject({ content: body.data.content, status: "cancelled" });
    const end = await follower.next("turn-ended");
    expect(end["status"]).toBe("human");
    expect((await follower.next("session-updated"))["session"].handler).toBe("human");
    const count = follower.events.length;
    await say(id, "assistant", "Here I am");
    await follower.next("message-appended", 3);
    expect(follower.types().slice(count)).toEqual(["message-appended"]);
    await follower.cut();
  });

  it("gets the prompts that wait and those that come later, and no model is asked", async () => {
    const provider = crypto.randomUUID();
    const slow = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${upstream}/${provider}/hello.stall`,
      token: "t",
      model: "m",
    });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId: slow }) });
    const follower = await followEvents(`/sessions/${id}/events`);
    const running = chat(id, "one");
    await follower.next("reply-delta");
    const waiting = chat(id, "two", { "idempotency-key": "two" });
    await vi.waitFor(async () => expect((await chat(id, "again", { "idempotency-key": "two" })).status).toBe(409));
    await takeOver(id);
    expect((await running).body.data.finishReason).toBe("cancelled");
    const later = await chat(id, "three");
    for (const [answer, content] of [
      [await waiting, "two"],
      [later, "three"],
    ] as const) {
      expect(answer.status).toBe(202);
      expect(answer.body.data).toEqual({ role: "user", content, timestamp: expect.any(String), handler: "human" });
    }
    const repeated = await chat(id, "two", { "idempotency-key": "two" });
    expect([repeated.status, repeated.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
    expect((await contentsOf(id)).filter((content: string) => /^(one|two|three)$/.test(content))).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(await (await fetch(`${upstream}/received/${provider}`)).json()).toHaveLength(1);
    await vi.waitFor(async () => expect(await (await fetch(`${upstream}/open/${provider}`)).json()).toBe(0));
    await follower.cut();
  });

  it("is what the stream of a chat says: the message, and the end of the turn", async () => {
    const id = await createSession();
    await takeOver(id);
    const options = { headers: { "idempotency-key": "a" } };
    for (let nth = 0; nth < 2; nth++) {
      const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "Hi" }, options);
      await reader.until(({ closed }) => closed !== null);
      expect(reader.types()).toEqual(["message-appended", "turn-ended"]);
      expect(reader.events[0]).toMatchObject({ role: "user", content: "Hi", seq: 1 });
      expect(reader.events[1]?.["status"]).toBe("human");
    }
    expect(await contentsOf(id)).toEqual(["Hi"]);
  });

  it("gets a failed prompt that is repeated, once and for all", async () => {
    const provider = crypto.randomUUID();
    const endpointId = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${upstream}/${provider}/401`,
      token: "t",
      model: "m",
    });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const key = { "idempotency-key": "a" };
    expect((await chat(id, "Where is it?", key)).status).toBe(502);
    await takeOver(id);
    const options = { headers: key };
    for (const nth of [1, 2]) {
      const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "Where is it?" }, options);
      await reader.until(({ closed }) => closed !== null);
      expect([nth, ...reader.types()]).toEqual([nth, "message-appended", "turn-ended"]);
      expect(reader.events[0]).toMatchObject({ seq: 1, content: "Where is it?" });
    }
    await say(id, "assistant", "On its way");
    await post(`/sessions/${id}/handback`, {});
    const { status, body, headers } = await chat(id, "Where is it?", key);
    expect([status, body.data.role, headers.get("idempotency-replayed")]).toEqual([202, "user", "true"]);
    expect(await contentsOf(id)).toEqual(["Where is it?", "On its way"]);
    expect(await (await fetch(`${upstream}/received/${provider}`)).json()).toHaveLength(1);
  });

  it("writes as itself, and another takes over from it", async () => {
    const id = await createSession();
    await takeOver(id);
    await say(id, "assistant", "Grace here");
    await say(id, "user", "Hello Grace");
    await takeOver(id, { operator: { id: "alan", name: "Alan" }, reason: "Shift ends" });
    await say(id, "assistant", "Alan here");
    const authors = (await messagesOf(id)).map(({ author }: { author?: object }) => author);
    expect(authors).toEqual([{ kind: "human", ...GRACE }, undefined, { kind: "human", id: "alan", name: "Alan" }]);
    expect((await get(`/sessions/${id}`)).body.data.messages[0].author).toEqual({ kind: "human", ...GRACE });
    await post(`/sessions/${id}/end`);
    expect((await get(`/sessions/${id}`)).body.data.messages[0].author).toEqual({ kind: "human", ...GRACE });
    expect((await messagesOf(id))[0].author).toEqual({ kind: "human", ...GRACE });
  });

  it("is named by its key if nobody has taken over", async () => {
    const id = await createSession();
    const { token, ...key } = await keyOf("operator");
    const { body } = await say(id, "assistant", "Let me add something", { token });
    expect(body.data.messages[0].author).toEqual({ kind: "human", ...key });
    expect((await say(id, "assistant", "Machine")).body.data.messages[1].author).toBeUndefined();
  });

  it("cannot take over a session that has ended, and an end lets go of those who wait", async () => {
    const id = await createSession();
    await post(`/sessions/${id}/request-human`, {});
    expect((await post(`/sessions/${id}/end`)).body.data.handler).toBe("bot");
    for (const call of ["takeover", "handback", "request-human"])
      expect((await post(`/sessions/${id}/${call}`, call === "takeover" ? { operator: GRACE } : {})).status).toBe(404);
    expect((await put(`/sessions/${id}`, { status: "ACTIVE" })).body.data.handler).toBe("bot");
  });
});

describe("a person who hands back", () => {
  it("leaves to the bot what was written, but not the note", async () => {
    const provider = crypto.randomUUID();
    const endpointId = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${upstream}/${provider}/hello`,
      token: "t",
      model: "m",
    });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    await takeOver(id);
    await chat(id, "Where is it?");
    await say(id, "assistant", "On its way");
    const handed = await post(`/sessions/${id}/handback`, { note: "A friendly customer" });
    expect(handed.body.data).toMatchObject({ handler: "bot", handover: { note: "A friendly customer" } });
    await chat(id, "Thanks");
    const received = await fetch(`${upstream}/received/${provider}`);
    const [request] = await received.json<{ text: string; body: unknown }[]>();
    expect(request?.body).toMatchObject({
      messages: [
        { role: "user", content: "Where is it?" },
        { role: "assistant", content: "On its way" },
        { role: "user", content: "Thanks" },
      ],
    });
    expect(request?.text).not.toContain("friendly");
  });

  it("is the clock, after the chatbot's time without a word of the person", async () => {
    const id = await createSlowSession({ takeoverTimeoutMinutes: 5 });
    await takeOver(id);
    const start = Date.now();
    const clock = vi.spyOn(Date, "now");
    const at = async (minutes: number) => {
      clock.mockReturnValue(start + minutes * 60_000 + 1_000);
      await runDurableObjectAlarm(env.SESSIONS.getByName(id));
      return (await get(`/sessions/${id}`)).body.data.handler;
    };
    expect(await at(4)).toBe("human");
    await say(id, "user", "Are you there?");
    await say(id, "assistant", "One moment");
    expect(await at(8)).toBe("human");
    expect(await at(10)).toBe("bot");
    clock.mockRestore();
    expect((await chat(id, "Hi")).status).toBe(200);
  });
});

describe("an operator", () => {
  it("takes no part as a client does: it neither chats nor stops, over HTTP or a socket", async () => {
    const id = await createSession();
    const { token } = await keyOf("operator");
    expect((await post(`/sessions/chat?sessionId=${id}`, { content: "Hi" }, { token })).status).toBe(403);
    expect((await post(`/sessions/${id}/stop`, undefined, { token })).status).toBe(403);
    const socket = await connect(`/sessions/${id}/ws`, { token });
    socket.send({ type: "prompt-submit", id: "1", content: "Hi" });
    expect(await socket.next("failure")).toMatchObject({ id: "1", code: "forbidden" });
    socket.send({ type: "turn-cancel", id: "2" });
    expect(await socket.next("failure", 2)).toMatchObject({ id: "2", code: "forbidden" });
    socket.send({ type: "message-append", id: "3", role: "assistant", content: "A person" });
    expect(await socket.next("message-appended")).toMatchObject({ author: { kind: "human" } });
    socket.socket.close();
  });
});
