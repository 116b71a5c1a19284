/** WebSockets: frames, acks, hibernation, closing, and the upgrade. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { ADMIN_KEY, del, get, post } from "../../support/api.ts";
import { SocketClient, connect, followEvents, upgrade } from "../../support/follow.ts";
import { createChatbot, createClient, createComparison, createSession, createEndpoint } from "../../support/create.ts";

const objectOf = (id: string) => env.SESSIONS.getByName(id);
const append = (id: string, content: string, role = "user") => ({ type: "message-append", id, role, content });
const submit = (id: string, content: string) => ({ type: "prompt-submit", id, content });

const createSlowSession = async (tokensPerSecond: number) =>
  createSession({
    chatbotId: await createChatbot({
      endpointId: await createEndpoint({ params: { tokens_per_second: tokensPerSecond } }),
    }),
  });

describe("a socket", () => {
  it("gets the snapshot first, then acks for what it sends, and its own messages", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    client.send(append("a1", "Hello"));
    expect(await client.next("ack")).toEqual({ type: "ack", id: "a1", seq: 1 });
    expect(await client.next("message-appended")).toMatchObject({ seq: 1, role: "user", content: "Hello" });
    expect(client.types()[0]).toBe("session-snapshot");
    expect((await get(`/sessions/${id}`)).body.data.messages).toMatchObject([{ content: "Hello" }]);
  });

  it("submits a prompt, and gets the events of its turn", async () => {
    const id = await createSlowSession(60);
    const client = await connect(`/sessions/${id}/ws`);
    client.send(submit("p1", "one two three four"));
    const ack = await client.next("ack");
    const ended = await client.next("turn-ended");
    expect(ended).toEqual({ type: "turn-ended", turnId: ack["turnId"], status: "ok" });
    const deltas = client.events.filter(({ type }) => type === "reply-delta").map(({ text }) => text);
    expect(deltas.join("")).toBe("one two three four");
  });

  it("submits a prompt to every endpoint of a comparison, and cannot append to one", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const client = await connect(`/v1/sessions/${session.session_id}/ws`);
    client.send(submit("p1", "  hi \n"));
    await client.next("turn-ended");
    const replies = client.events.filter(({ type, role }) => type === "message-appended" && role === "assistant");
    expect(replies.map(({ content }) => content)).toEqual(["  hi \n", "  hi \n"]);
    client.send(append("a1", "no"));
    expect(await client.next("failure")).toMatchObject({ id: "a1", code: "not_supported" });
  });

  it("gets the first answer again for a repeated frame, which is executed once", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    for (const content of ["once", "once", "another"]) client.send(append("same", content));
    await client.next("ack", 2);
    expect(await client.next("failure")).toMatchObject({ id: "same", code: "idempotency_conflict" });
    expect(client.events.filter(({ type }) => type === "ack")).toEqual([
      { type: "ack", id: "same", seq: 1 },
      { type: "ack", id: "same", seq: 1 },
    ]);
    client.socket.close();
    await evictDurableObject(objectOf(id));
    const later = await connect(`/sessions/${id}/ws`);
    later.send(append("same", "once"));
    expect(await later.next("ack")).toEqual({ type: "ack", id: "same", seq: 1 });
    later.send(submit("p", "hi"));
    const { turnId } = await later.next("ack", 2);
    later.send(submit("p", "hi"));
    expect(await later.next("ack", 3)).toMatchObject({ turnId });
    await later.next("turn-ended");
    expect((await get(`/sessions/${id}`)).body.data.messages).toHaveLength(3);
  });

  it("cancels a turn or one of its chats, and the provider's connection is closed", async () => {
    const upstream = inject("upstream");
    const open = async () => (await (await fetch(`${upstream}/open/stalls`)).json<number>()) > 0;
    const stalling = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${upstream}/stalls/hello.stall/v1`.replace("/v1", ""),
    });
    const session = await createComparison([stalling, await createEndpoint({ params: { tokens_per_second: 8 } })]);
    const client = await connect(`/v1/sessions/${session.session_id}/ws`);
    client.send(submit("p", "a b c d e f g h i j k l m n o p"));
    await client.next("reply-delta");
    expect(await open()).toBe(true);
    client.send({ type: "turn-cancel", id: "c1", chatId: session.chat_ids[0] });
    expect(await client.next("reply-end")).toMatchObject({ chatId: session.chat_ids[0], status: "cancelled" });
    await client.until(() => true);
    for (let waited = 0; (await open()) && waited < 50; waited++) await scheduler.wait(20);
    expect(await open()).toBe(false);
    client.send({ type: "turn-cancel", id: "c2" });
    expect(await client.next("turn-ended")).toMatchObject({ status: "cancelled" });
    client.send({ type: "turn-cancel", id: "c3" });
    expect(await client.next("ack", 4)).toEqual({ type: "ack", id: "c3", turnId: null });
  });

  it("gets a failure for an 18th prompt, which is not appended", async () => {
    const id = await createSlowSession(4);
    const client = await connect(`/sessions/${id}/ws`);
    for (let n = 1; n <= 18; n++) client.send(submit(`p${n}`, "slow and steady"));
    expect(await client.next("failure")).toMatchObject({ id: "p18", code: "turn_queue_full" });
    expect(client.events.filter(({ type }) => type === "ack")).toHaveLength(17);
    await post(`/sessions/${id}/end`);
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toEqual({ code: 1000, reason: "session ended" });
    const rejected = client.events.filter(({ type }) => type === "failure").slice(1);
    expect(rejected.map(({ id: frame, code }) => [frame, code])).toEqual(
      Array.from({ length: 16 }, (_, n) => [`p${n + 2}`, "session_not_active"]),
    );
  });
});

describe("hibernation", () => {
  it("keeps sockets open, and heartbeats do not wake the object", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    await client.next("session-snapshot");
    await evictDurableObject(objectOf(id));
    const pong = new Promise((resolve) => client.socket.addEventListener("message", ({ data }) => resolve(data)));
    client.socket.send("ping");
    expect(await pong).toBe("pong");
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "awake" } });
    expect(await client.next("message-appended")).toMatchObject({ content: "awake" });
    client.send(append("a", "me too"));
    expect(await client.next("ack")).toMatchObject({ seq: 2 });
  });

  it("does not happen during a turn", async () => {
    const id = await createSlowSession(30);
    const client = await connect(`/sessions/${id}/ws`);
    client.send(submit("p", "one two three four five six seven eight nine ten"));
    await client.next("reply-delta");
    await evictDurableObject(objectOf(id));
    expect(await client.next("turn-ended")).toMatchObject({ status: "ok" });
  });
});

describe("an object that crashes during a turn", () => {
  it("closes the turn as interrupted when it wakes, with the partial reply, and accepts the next prompt", async () => {
    const id = await createSlowSession(30);
    const client = await connect(`/sessions/${id}/ws`);
    // At this rate the text is saved once, after five seconds.
    const words = Array.from({ length: 300 }, (_, n) => `word${n}`).join(" ");
    client.send(submit("p", words));
    await client.until(({ events }) => events.filter(({ type }) => type === "reply-delta").length > 170);
    await runInDurableObject(objectOf(id), (_, state) => state.abort("down")).catch(() => undefined);
    const later = await connect(`/sessions/${id}/ws?after=0`);
    const reply = await later.next("message-appended", 2);
    expect(reply).toMatchObject({ status: "error", finishReason: "interrupted" });
    expect(reply["content"].length).toBeGreaterThan(50);
    expect(words.startsWith(reply["content"])).toBe(true);
    expect(later.events[0]).toMatchObject({ type: "session-snapshot", turn: null });
    expect((await get(`/sessions/${id}`)).body.data.messages.at(-1)).toMatchObject({ finishReason: "interrupted" });
    const { body } = await post(`/sessions/chat?sessionId=${id}`, { content: "next" });
    expect(body.data.content).toBe("next");
  });
});

describe("frames", () => {
  it("that are malformed get a failure, and ten in a row close the socket; a valid one resets the count", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    const bad = [
      "no json",
      "[]",
      '{"type":"shout","id":"x"}',
      JSON.stringify({ ...append("y", "hi"), role: "robot" }),
      '{"type":"message-append","role":"user","content":"hi"}',
      JSON.stringify(append("blank", "  ")),
    ];
    for (const frame of bad) client.send(frame);
    client.socket.send(new Uint8Array([1, 2, 3]));
    const failures = async (count: number) => {
      await client.next("failure", count);
      return client.events.filter(({ type }) => type === "failure");
    };
    expect((await failures(7)).map(({ id: frame, code }) => [frame, code])).toEqual(
      [null, null, "x", "y", null, "blank", null].map((frame) => [frame, "malformed_frame"]),
    );
    client.send(append("good", "hi"));
    await client.next("ack");
    for (let n = 0; n < 10; n++) client.send("bad");
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code: 4400 });
    expect(await failures(17)).toHaveLength(17);
  });

  it("over 1 MiB close with 1009, and over 100 in 10 s with 4429", async () => {
    const id = await createSession();
    const huge = await connect(`/sessions/${id}/ws`);
    huge.send(append("a", "x".repeat(100_000)));
    expect(await huge.next("ack")).toMatchObject({ seq: 1 });
    huge.send(append("b", "€".repeat(400_000)));
    await huge.until(({ closed }) => closed !== null);
    expect(huge.closed).toMatchObject({ code: 1009 });
    const hasty = await connect(`/sessions/${id}/ws`);
    for (let n = 0; n < 101; n++) hasty.send({ type: "turn-cancel", id: `c${n}` });
    await hasty.until(({ closed }) => closed !== null);
    expect(hasty.closed).toMatchObject({ code: 4429 });
    expect(hasty.events.filter(({ type }) => type === "ack")).toHaveLength(100);
  });

  it("lose unpaired surrogates, and nothing else", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    client.send(`{"type":"message-append","id":"a","role":"user","content":"a\\ud800b \\u0000 ÜBER 🎉"}`);
    expect(await client.next("message-appended")).toMatchObject({ content: "a\ufffdb \u0000 ÜBER 🎉" });
  });
});

describe("a socket closes", () => {
  it("with 1000 when the session ends, whatever is sent then", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    await post(`/sessions/${id}/end`);
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toEqual({ code: 1000, reason: "session ended" });
    const late = await connect(`/sessions/${id}/ws?after=0`);
    await late.until(({ closed }) => closed !== null);
    expect(late.types()).toEqual(["session-snapshot"]);
    expect(late.closed).toMatchObject({ code: 1000 });
    expect(await storageOf(id)).toBe(0);
  });

  it("with 4404 when the session is deleted", async () => {
    const id = await createSession();
    const client = await connect(`/sessions/${id}/ws`);
    await del(`/sessions/${id}`);
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code: 4404, reason: "session deleted" });
    expect((await upgrade(`/sessions/${id}/ws`)).status).toBe(404);
  });

  it("with the client's own code after a handshake, and an abrupt close harms no other", async () => {
    const id = await createSession();
    const [leaver, dropper, stayer] = await Promise.all([1, 2, 3].map(() => connect(`/sessions/${id}/ws`)));
    leaver?.socket.close(4000, "bye");
    await leaver?.until(({ closed }) => closed !== null);
    expect(leaver?.closed).toMatchObject({ code: 4000 });
    dropper?.socket.close();
    stayer?.send(append("a", "still here"));
    expect(await stayer?.next("message-appended")).toMatchObject({ content: "still here" });
  });

  it("with 4401 when its token expires: by alarm, or on the next frame", async () => {
    const id = await createSession();
    const expiresAt = new Date(Date.now() + 3_000).toISOString();
    const { key } = (await post("/keys", { name: "brief", role: "service", expiresAt })).body.data;
    const [idle, busy] = [
      await connect(`/sessions/${id}/ws`, { token: key }),
      await connect(`/sessions/${id}/ws`, { token: key }),
    ];
    const reader = await followEvents(`/sessions/${id}/events`, undefined, { token: key });
    await reader.next("session-snapshot");
    await runInDurableObject(objectOf(id), async (_, { storage }) => {
      expect(await storage.getAlarm()).toBe(Date.parse(expiresAt));
      await storage.deleteAlarm();
    });
    await scheduler.wait(3_050);
    busy.send(append("late", "no"));
    await busy.until(({ closed }) => closed !== null);
    expect(busy.closed).toMatchObject({ code: 4401 });
    expect(idle.closed).toBeNull();

    await runInDurableObject(objectOf(id), (object) => object.alarm());
    await idle.until(({ closed }) => closed !== null);
    expect(idle.closed).toMatchObject({ code: 4401, reason: "token expired" });
    expect((await get(`/sessions/${id}`)).body.data.messages).toEqual([]);
  });
});

describe("the upgrade to a socket", () => {
  it("accepts a header, an end user's subprotocol, or a ticket once and for its session", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    const by = (token: string) =>
      upgrade(`/sessions/${id}/ws`, {
        token: null,
        headers: { "sec-websocket-protocol": `parley.v1, bearer.${token}` },
      });
    const { key } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
    const offered = await by(key);
    expect([offered.status, offered.headers.get("sec-websocket-protocol")]).toEqual([101, "parley.v1"]);
    await new SocketClient(offered.webSocket as WebSocket).next("session-snapshot");
    expect((await upgrade(`/sessions/${id}/ws`)).headers.get("sec-websocket-protocol")).toBeNull();
    expect((await by("wrong")).status).toBe(401);
    expect((await upgrade(`/sessions/${id}/ws`, { token: null })).status).toBe(401);
    const created = await post(`/sessions/${id}/tickets`);
    expect(created.status).toBe(201);
    const { ticket, expiresAt } = created.body.data;
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(25_000);
    const other = await createSession();
    expect((await upgrade(`/sessions/${other}/ws?ticket=${ticket}`, { token: null })).status).toBe(401);
    const client = await connect(`/sessions/${id}/ws?ticket=${ticket}`, { token: null });
    await client.next("session-snapshot");
    expect((await upgrade(`/sessions/${id}/ws?ticket=${ticket}`, { token: null })).status).toBe(401);
    expect((await get(`/sessions/${id}?ticket=${ticket}`, { token: null })).status).toBe(401);
  });

  it("refuses a token in a subprotocol that can do more than an end user's, and says what to do", async () => {
    const id = await createSession();
    const { key } = (await post("/keys", { name: "server", role: "service" })).body.data;
    for (const path of [`/sessions/${id}/ws`, "/v1/sessions/any/ws"])
      for (const token of [ADMIN_KEY, key]) {
        const headers = { "sec-websocket-protocol": `parley.v1, bearer.${token}` };
        const answer = await upgrade(path, { token: null, headers });
        expect(answer.status).toBe(403);
        expect(await answer.text()).toMatch(/only a token of role client .* ticket/i);
      }
  });

  it("accepts a ticket with the session's id in either case, and rejects a malformed path", async () => {
    const id = await createSession();
    const { ticket } = (await post(`/sessions/${id}/tickets`)).body.data;
    const client = await connect(`/sessions/${id.toUpperCase()}/ws?ticket=${ticket}`, { token: null });
    await client.next("session-snapshot");
    expect((await upgrade("/sessions/%E0%A4%A/ws?ticket=x", { token: null })).status).toBe(401);
  });

  it("accepts tickets of comparisons, and there are none for unknown sessions", async () => {
    const session = await createComparison([await createEndpoint()]);
    const { status, body } = await post(`/v1/sessions/${session.session_id}/tickets`);
    expect(status).toBe(201);
    await (
      await connect(`/v1/sessions/${session.session_id}/ws?ticket=${body.ticket}`, { token: null })
    ).next("session-snapshot");
    expect((await post("/v1/sessions/none/tickets")).status).toBe(404);
    expect((await post("/sessions/65f3a1b2c4d5e6f708192a3f/tickets")).status).toBe(404);
  });

  it("is refused to other origins, and to requests without upgrade", async () => {
    const id = await createSession();
    const from = (origin: string) => upgrade(`/sessions/${id}/ws`, { headers: { origin } });
    expect((await from("https://evil.example")).status).toBe(403);
    expect((await from("http://parley.test")).status).toBe(101);
    expect((await from("https://app.example")).status).toBe(101);
    expect((await from("null")).status).toBe(403);
    const { status, headers } = await get(`/sessions/${id}/ws`);
    expect([status, headers.get("upgrade")]).toEqual([426, "websocket"]);
    expect((await upgrade("/sessions/65f3a1b2c4d5e6f708192a3f/ws")).status).toBe(404);
    expect((await upgrade(`/sessions/${id}/ws?after=x`)).status).toBe(400);
  });

  it("is refused without upgrade, and the ticket still works", async () => {
    const id = await createSession();
    const comparison = (await createComparison([await createEndpoint()])).session_id as string;
    for (const path of [`/sessions/${id}`, `/v1/sessions/${comparison}`]) {
      const { body } = await post(`${path}/tickets`);
      const socket = `${path}/ws?ticket=${path.startsWith("/v1") ? body.ticket : body.data.ticket}`;
      expect((await get(socket, { token: null })).status).toBe(426);
      await (await connect(socket, { token: null })).next("session-snapshot");
      expect((await upgrade(socket, { token: null })).status).toBe(401);
    }
  });
});

const storageOf = (id: string) =>
  runInDurableObject(
    objectOf(id),
    (_, { storage }) =>
      storage.sql.exec("select name from sqlite_schema where name not like '\\_cf\\_%' escape '\\'").toArray().length,
  );
