/** Event streams: of a turn, and of a session that is followed. Also stopping a turn. */
import { exports } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { ADMIN_KEY, del, get, post, put } from "../../support/api.ts";
import { connect, EventStreamReader, followEvents } from "../../support/follow.ts";
import { createChatbot, createComparison, createSession, createEndpoint } from "../../support/create.ts";

const appendMessage = (id: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });

const createSlowSession = async (tokensPerSecond = 40, params: object = {}) =>
  createSession({
    chatbotId: await createChatbot({
      endpointId: await createEndpoint({ params: { tokens_per_second: tokensPerSecond, ...params } }),
    }),
  });

describe("the stream of a chat", () => {
  it("has the events of the turn from start to end, and no others", async () => {
    const id = await createSlowSession();
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "one two three four five six" });
    expect(reader.headers.get("content-type")).toBe("text/event-stream");
    await reader.until(({ closed }) => closed !== null);
    const types = reader.types();
    expect(types.filter((type) => type !== "reply-delta")).toEqual([
      "turn-started",
      "message-appended",
      "reply-start",
      "message-appended",
      "reply-end",
      "turn-ended",
    ]);
    const deltas = reader.events.filter(({ type }) => type === "reply-delta");
    expect(deltas.length).toBeGreaterThan(1);
    let text = "";
    for (const delta of deltas) {
      expect(delta["offset"]).toBe(text.length);
      text += delta["text"];
    }
    expect(text).toBe("one two three four five six");
    const [asked, replied] = reader.events.filter(({ type }) => type === "message-appended");
    expect(asked).toMatchObject({ seq: 1, chatId: id, role: "user" });
    expect(replied).toMatchObject({
      seq: 2,
      content: text,
      status: "ok",
      finishReason: "stop",
      usage: { inputTokens: 6, outputTokens: 6 },
    });
    expect(reader.events.at(-1)).toMatchObject({ status: "ok" });
  });

  it("joins quick tokens into deltas of tens of milliseconds", async () => {
    const id = await createSlowSession(500);
    const words = Array.from({ length: 100 }, (_, n) => `w${n}`).join(" ");
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: words });
    await reader.until(({ closed }) => closed !== null);
    const deltas = reader.events.filter(({ type }) => type === "reply-delta");
    expect(deltas.map(({ text }) => text).join("")).toBe(words);
    expect(deltas.length).toBeLessThan(40);
  });

  it("is refused like any other call before the turn starts", async () => {
    const id = await createSession();
    await post(`/sessions/${id}/end`);
    await expect(followEvents(`/sessions/chat?sessionId=${id}`, { content: "hi" })).rejects.toThrow(
      /404.*session_not_active/,
    );
  });

  it("is not used when the caller does not accept one", async () => {
    const id = await createSession();
    const accept = { headers: { accept: "application/json, text/event-stream;q=0" } };
    const { body } = await post(`/sessions/chat?sessionId=${id}`, { content: "hi" }, accept);
    expect(body.data.content).toBe("hi");
  });

  it("reports a failure in reply-end", async () => {
    const id = await createSlowSession(40, { fail: 503 });
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "hi" });
    await reader.until(({ closed }) => closed !== null);
    expect(reader.events.find(({ type }) => type === "reply-end")).toMatchObject({
      status: "error",
      error: { code: "provider_overloaded" },
    });
    expect(reader.events.at(-1)).toMatchObject({ type: "turn-ended", status: "error" });
  });

  it("may be closed: the turn goes on", async () => {
    const id = await createSlowSession(20);
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "a b c d e f g h" });
    await reader.next("reply-delta");
    await reader.cut();
    const again = await followEvents(`/sessions/${id}/events?after=0`);
    await again.next("turn-ended");
    expect((await get(`/sessions/${id}`)).body.data.messages.at(-1)).toMatchObject({ content: "a b c d e f g h" });
  });
});

describe("the stream of a prompt", () => {
  it("has the events of all chats, and one failure affects no other chat", async () => {
    const endpoints = await Promise.all([
      createEndpoint({ params: { tokens_per_second: 50 } }),
      createEndpoint({ params: { fail: 500, delay_ms: 20 } }),
      createEndpoint({ params: { tokens_per_second: 100 } }),
    ]);
    const session = await createComparison(endpoints);
    const reader = await followEvents(`/v1/sessions/${session.session_id}/prompt`, { prompt: "one two three four" });
    await reader.until(({ closed }) => closed !== null);
    expect(reader.events.at(-1)).toMatchObject({ type: "turn-ended", status: "partial" });
    expect(reader.events[0]).toMatchObject({ type: "turn-started", chatIds: session.chat_ids });
    for (const chatId of session.chat_ids) {
      const own = reader.events.filter((event) => event["chatId"] === chatId).map(({ type }) => type);
      expect(own[0]).toBe("reply-start");
      expect(own.slice(-2)).toEqual(["message-appended", "reply-end"]);
    }
    expect(reader.headers.get("cache-control")).toContain("no-transform");
  });
});

describe("the events of a session", () => {
  it("begin with its snapshot, in its dialect, and continue live", async () => {
    const id = await createSession({ title: "Followed" });
    await appendMessage(id, "before");
    const reader = await followEvents(`/sessions/${id}/events`);
    const snapshot = await reader.next("session-snapshot");
    expect(snapshot).toMatchObject({ lastSeq: 1, turn: null, session: { id, title: "Followed", status: "ACTIVE" } });
    expect(snapshot["session"]).not.toHaveProperty("messages");
    await appendMessage(id, "after");
    await put(`/sessions/${id}`, { title: "Renamed" });
    expect(await reader.next("message-appended")).toMatchObject({ seq: 2, content: "after" });
    expect(await reader.next("session-updated")).toMatchObject({ session: { title: "Renamed" } });
    const comparison = await createComparison([await createEndpoint()]);
    const other = await followEvents(`/v1/sessions/${comparison.session_id}/events`);
    expect((await other.next("session-snapshot"))["session"]).toEqual({ ...comparison, chat_history: null });
  });

  it("are replayed after any message; Last-Event-ID goes before the query", async () => {
    const id = await createSession();
    for (let n = 1; n <= 120; n++) await appendMessage(id, `m${n}`);
    const whole = await followEvents(`/sessions/${id}/events?after=0`);
    await whole.next("message-appended", 120);
    expect(whole.ids).toEqual(Array.from({ length: 120 }, (_, n) => String(n + 1)));
    const rest = await followEvents(`/sessions/${id}/events?after=3`, undefined, {
      headers: { "last-event-id": "118" },
    });
    await rest.next("message-appended", 2);
    expect(rest.ids).toEqual(["119", "120"]);
  });

  it("end with the session, and a last event says why", async () => {
    const id = await createSession();
    const reader = await followEvents(`/sessions/${id}/events`);
    await reader.next("session-snapshot");
    await post(`/sessions/${id}/end`);
    await reader.until(({ closed }) => closed !== null);
    expect(reader.events.slice(-2)).toMatchObject([
      { type: "session-updated", session: { status: "COMPLETED" } },
      { type: "stream-closed", code: 1000 },
    ]);
  });

  it("are complete for a session that has ended, and the stream closes", async () => {
    const id = await createSession();
    await appendMessage(id, "kept");
    await post(`/sessions/${id}/end`);
    const reader = await followEvents(`/sessions/${id}/events?after=0`);
    await reader.until(({ closed }) => closed !== null);
    expect(reader.types()).toEqual(["session-snapshot", "message-appended", "stream-closed"]);
    const bare = await followEvents(`/sessions/${id}/events`);
    await bare.until(({ closed }) => closed !== null);
    expect(bare.types()).toEqual(["session-snapshot", "stream-closed"]);
  });

  it("close with 4404 when the session is deleted", async () => {
    const id = await createSession();
    const reader = await followEvents(`/sessions/${id}/events`);
    await reader.next("session-snapshot");
    await del(`/sessions/${id}`);
    await reader.until(({ closed }) => closed !== null);
    expect(reader.events.at(-1)).toMatchObject({ type: "stream-closed", code: 4404 });
    await expect(followEvents(`/sessions/${id}/events`)).rejects.toThrow(/404/);
  });

  it("are refused for an invalid position", async () => {
    const id = await createSession();
    expect((await get(`/sessions/${id}/events?after=-1`)).status).toBe(400);
    const session = await createComparison([await createEndpoint()]);
    expect((await get(`/v1/sessions/${session.session_id}/events?after=x`)).status).toBe(422);
    expect((await get("/sessions/65f3a1b2c4d5e6f708192a3f/events")).status).toBe(404);
    expect((await get("/v1/sessions/nothing_20240101-000000/events")).status).toBe(404);
  });
});

describe("stop", () => {
  it("keeps the partial reply, and marks it", async () => {
    const id = await createSlowSession(20);
    const reader = await followEvents(`/sessions/${id}/events`);
    const chat = post(`/sessions/chat?sessionId=${id}`, { content: "a b c d e f g h i j k l m n o p" });
    await reader.next("reply-delta", 2);
    expect((await post(`/sessions/${id}/stop`)).body).toMatchObject({ data: { stopped: true } });
    const { status, body } = await chat;
    expect(status).toBe(200);
    expect(body.data.finishReason).toBe("cancelled");
    expect("a b c d e f g h i j k l m n o p".startsWith(body.data.content)).toBe(true);
    expect(body.data.content.length).toBeGreaterThan(2);
    expect(await reader.next("turn-ended")).toMatchObject({ status: "cancelled" });
    expect((await post(`/sessions/${id}/stop`)).body.data).toEqual({ stopped: false });
    expect((await get(`/sessions/${id}`)).body.data.messages.at(-1)).toEqual(body.data);
  });

  it("cancels the running prompt of a comparison and the waiting ones, each with its record", async () => {
    const session = await createComparison([
      await createEndpoint({ params: { tokens_per_second: 10 } }),
      await createEndpoint(),
    ]);
    const path = `/v1/sessions/${session.session_id}`;
    const reader = await followEvents(`${path}/events`);
    const prompts = ["a b c d e f g h", "waits 1", "waits 2"].map((prompt) => post(`${path}/prompt`, { prompt }));
    await reader.next("reply-delta");
    expect((await post(`${path}/cancel`)).body).toEqual({ success: true });
    await Promise.all(prompts);
    const { chat_history: history } = (await get(`${path}?include_history=true`)).body.session;
    const statuses = (chatId: string) => history[chatId].map((record: { status: string }) => record.status);
    expect(statuses(session.chat_ids[0])).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(statuses(session.chat_ids[1])).toEqual(["ok", "cancelled", "cancelled"]);
    expect((await post(`${path}/cancel`)).body).toEqual({ success: true });
    expect((await post("/v1/sessions/nothing_20240101-000000/cancel")).status).toBe(404);
  });
});

describe("the longest reply", () => {
  const LONGEST = "\u0001".repeat(400_000);
  const ALL = ["reply-start", "reply-delta", "message-appended", "reply-end", "turn-ended"];

  async function createLongestSession(): Promise<string> {
    const uri = `${inject("upstream")}/openai/longest`;
    const endpointId = await createEndpoint({ connector_type: "openai-connector", uri, token: "t", model: "m" });
    return createSession({ chatbotId: await createChatbot({ endpointId }) });
  }

  /** Opens an event stream of which nothing is read yet. */
  const open = (method: string, path: string, body?: string) =>
    exports.default.fetch(
      new Request(`http://parley.test${path}`, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          accept: "text/event-stream",
          "content-type": "application/json",
        },
        ...(body === undefined ? {} : { body }),
      }),
    );

  const hasEnded = async (id: string) => (await get(`/sessions/${id}/messages`)).body.data.messages.length === 2;

  it("comes whole in the stream of its chat, also to a reader who takes nothing before it has ended", async () => {
    const id = await createLongestSession();
    const answer = await open("POST", `/sessions/chat?sessionId=${id}`, '{"content":"hi"}');
    await expect.poll(() => hasEnded(id), { timeout: 30_000 }).toBe(true);
    const reader = await new EventStreamReader(answer).until(({ closed }) => closed !== null);
    expect(reader.types()).toEqual(["turn-started", "message-appended", ...ALL]);
    expect(reader.events.at(-3)?.["content"]).toBe(LONGEST);
  });

  it("comes whole in the stream of its session, and by its socket", async () => {
    const id = await createLongestSession();
    const answer = await open("GET", `/sessions/${id}/events`);
    const client = await connect(`/sessions/${id}/ws`);
    await post(`/sessions/chat?sessionId=${id}`, { content: "hi" });
    await client.next("turn-ended");
    const reader = await new EventStreamReader(answer).until(({ events }) => events.at(-1)?.type === "turn-ended");
    for (const { events } of [client, reader]) {
      expect(events.map(({ type }) => type)).toEqual(["session-snapshot", "turn-started", "message-appended", ...ALL]);
      expect(events.at(-3)?.["content"]).toBe(LONGEST);
    }
    expect(client.closed).toBeNull();
    await reader.cut();
  });
});
