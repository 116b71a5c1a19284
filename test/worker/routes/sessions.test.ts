/** Chatbot sessions: create, read, change, end, append, chat and delete. */
import { describe, expect, it, vi } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createSession, createEndpoint, unique } from "../../support/create.ts";

const NOWHERE = "ffffffffffffffffffffffff";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("create", () => {
  it("answers 201 with the session in the envelope, plain ids and ISO times", async () => {
    const chatbotId = await createChatbot();
    const clientId = await createClient();
    const { status, body } = await post("/sessions", {
      chatbotId,
      clientId,
      title: "Order 1042",
      metadata: { a: [1] },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ success: true, message: expect.any(String) });
    expect(body.data).toMatchObject({
      chatbotId,
      clientId,
      title: "Order 1042",
      status: "ACTIVE",
      messages: [],
      metadata: { a: [1] },
    });
    expect(body.data.id).toMatch(/^[0-9a-f]{24}$/);
    for (const time of ["startTime", "createdAt", "updatedAt"]) expect(body.data[time]).toMatch(ISO);
    expect(body.data).not.toHaveProperty("endTime");
    expect(body.data).not.toHaveProperty("feedback");
  });

  it("begins with the chatbot's greeting", async () => {
    const chatbotId = await createChatbot({ greeting: "Hello, how can I help?" });
    const id = await createSession({ chatbotId });
    const { body } = await get(`/sessions/${id}`);
    expect(body.data.messages).toMatchObject([{ role: "assistant", content: "Hello, how can I help?" }]);
  });

  it("answers 404 for an unknown chatbot or client, and creates nothing", async () => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const title = unique("never");
    expect((await post("/sessions", { chatbotId: NOWHERE, clientId, title })).body).toMatchObject({
      message: "Chatbot not found",
    });
    expect((await post("/sessions", { chatbotId, clientId: NOWHERE, title })).body).toMatchObject({
      message: "Client not found",
    });
    expect((await post("/sessions", { chatbotId, clientId: NOWHERE, title })).status).toBe(404);
    const found = await get(`/sessions?searchString=${encodeURIComponent(title)}`);
    expect(found.body.data.results).toEqual([]);
  });

  it("accepts ids in either case and answers them in lower case", async () => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const { body } = await post("/sessions", { chatbotId: chatbotId.toUpperCase(), clientId });
    expect(body.data.chatbotId).toBe(chatbotId);
    expect((await get(`/sessions/${body.data.id.toUpperCase()}`)).status).toBe(200);
  });

  it.each([
    ["a malformed id", { chatbotId: "nope" }, "chatbotId"],
    ["no client", { clientId: undefined }, "clientId"],
    ["a title of 201 characters", { title: "x".repeat(201) }, "title"],
    ["metadata that is no object", { metadata: [1] }, "metadata"],
    ["metadata over 16 KiB", { metadata: { a: "x".repeat(16_384) } }, "metadata"],
    ["a time that is none", { startTime: "yesterday" }, "startTime"],
  ])("refuses %s with 400 and the field's name", async (_, fields, path) => {
    const { status, body } = await post("/sessions", { chatbotId: NOWHERE, clientId: NOWHERE, ...fields });
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, error: { code: "invalid_input", details: [{ path }] } });
  });

  it("is SCHEDULED when the start is in the future, and accepts no messages yet", async () => {
    const id = await createSession({ startTime: new Date(Date.now() + 3_600_000).toISOString() });
    expect((await get(`/sessions/${id}`)).body.data.status).toBe("SCHEDULED");
    expect(
      (await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "early" } })).status,
    ).toBe(404);
  });

  it("becomes ACTIVE by itself at its start", async () => {
    const id = await createSession({ startTime: new Date(Date.now() + 150).toISOString() });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await get(`/sessions/${id}`)).body.data.status).toBe("ACTIVE");
    expect(
      (await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "now" } })).status,
    ).toBe(200);
  });
});

describe("get", () => {
  it("has chatbot and client, and no message beside the envelope", async () => {
    const [chatbotId, clientId] = [await createChatbot({ name: "Shop" }), await createClient({ name: "Ada" })];
    const id = await createSession({ chatbotId, clientId });
    const { status, body } = await get(`/sessions/${id}`);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["success", "data"]);
    expect(body.data.chatbotId).toMatchObject({ id: chatbotId, name: "Shop" });
    expect(body.data.clientId).toMatchObject({ id: clientId, name: "Ada" });
  });

  it.each(["nope", NOWHERE])("answers 404 for %s", async (id) => {
    expect((await get(`/sessions/${id}`)).body).toMatchObject({ success: false, message: "Session not found" });
  });

  it("leaves out earlier messages with Prefer: return=minimal", async () => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "one" } });
    const headers = { prefer: "return=minimal" };
    const got = await get(`/sessions/${id}`, { headers });
    expect(got.body.data.messages).toEqual([]);
    expect(got.headers.get("preference-applied")).toBe("return=minimal");
    const added = await post(
      `/sessions/message?sessionId=${id}`,
      { message: { role: "user", content: "two" } },
      { headers },
    );
    expect(added.body.data.messages).toMatchObject([{ content: "two" }]);
  });
});

describe("update", () => {
  it("changes only the given fields", async () => {
    const id = await createSession({ title: "Before", metadata: { keep: true } });
    const { status, body } = await put(`/sessions/${id}`, { feedback: { rating: 5, comment: "Quick" } });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      title: "Before",
      metadata: { keep: true },
      feedback: { rating: 5, comment: "Quick" },
      status: "ACTIVE",
    });
    const same = await put(`/sessions/${id}`, {});
    expect(same.body.data).toEqual(body.data);
  });

  it("replaces feedback and metadata as a whole, and clears them with null", async () => {
    const id = await createSession({ metadata: { a: 1 } });
    await put(`/sessions/${id}`, { feedback: { rating: 5 } });
    const replaced = await put(`/sessions/${id}`, { feedback: { comment: "x" }, metadata: { b: 2 } });
    expect(replaced.body.data).toMatchObject({ feedback: { comment: "x" }, metadata: { b: 2 } });
    expect(replaced.body.data.feedback).not.toHaveProperty("rating");
    const cleared = await put(`/sessions/${id}`, { feedback: null, metadata: null });
    expect(cleared.body.data).not.toHaveProperty("feedback");
    expect(cleared.body.data).not.toHaveProperty("metadata");
  });

  it("sets endTime with an ended status, and clears it when the session is active again", async () => {
    const id = await createSession();
    const request = { message: { role: "user", content: "before" } };
    await post(`/sessions/message?sessionId=${id}`, request);
    const ended = await put(`/sessions/${id}`, { status: "TERMINATED" });
    expect(ended.body.data).toMatchObject({ status: "TERMINATED", endTime: expect.stringMatching(ISO) });
    expect((await post(`/sessions/message?sessionId=${id}`, request)).status).toBe(404);
    const reopened = await put(`/sessions/${id}`, { status: "ACTIVE" });
    expect(reopened.body.data.status).toBe("ACTIVE");
    expect(reopened.body.data).not.toHaveProperty("endTime");
    const { body } = await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "after" } });
    expect(body.data.messages.map((message: { content: string }) => message.content)).toEqual(["before", "after"]);
  });

  it("saves an endTime alone without ending the session", async () => {
    const id = await createSession();
    const endTime = new Date(Date.now() + 60_000).toISOString();
    expect((await put(`/sessions/${id}`, { endTime })).body.data).toMatchObject({ status: "ACTIVE", endTime });
  });

  it("keeps feedback that is given after the end", async () => {
    const id = await createSession();
    await post(`/sessions/${id}/end`);
    await put(`/sessions/${id}`, { feedback: { rating: 2 } });
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ status: "COMPLETED", feedback: { rating: 2 } });
  });

  it.each([
    [{ status: "PAUSED" }, "status"],
    [{ feedback: { rating: 6 } }, "feedback.rating"],
    [{ endTime: "2001-01-01T00:00:00Z" }, "endTime"],
    [{ status: "ACTIVE", endTime: "2099-01-01T00:00:00Z" }, "endTime"],
    [{ startTime: "2099-01-01T00:00:00Z" }, "startTime"],
  ])("refuses %j with 400", async (changes, path) => {
    const id = await createSession();
    const before = await get(`/sessions/${id}`);
    const { status, body } = await put(`/sessions/${id}`, changes);
    expect(status).toBe(400);
    expect(body.error.details[0].path).toBe(path);
    expect((await get(`/sessions/${id}`)).body).toEqual(before.body);
  });

  it.each(["nope", NOWHERE])("answers 404 for %s", async (id) => {
    expect((await put(`/sessions/${id}`, { title: "x" })).status).toBe(404);
  });
});

describe("end", () => {
  it("completes an active session once", async () => {
    const id = await createSession();
    const { status, body } = await post(`/sessions/${id}/end`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ status: "COMPLETED", endTime: expect.stringMatching(ISO) });
    const again = await post(`/sessions/${id}/end`);
    expect(again.status).toBe(404);
    expect(again.body.message).toBe("Active session not found");
  });

  it("sets the end to now, whatever end was saved before", async () => {
    const id = await createSession();
    await put(`/sessions/${id}`, { endTime: "2099-01-01T00:00:00Z" });
    const { body } = await post(`/sessions/${id}/end`);
    expect(Date.parse(body.data.endTime)).toBeLessThanOrEqual(Date.now());
  });

  it.each(["nope", NOWHERE])("answers 404 for %s", async (id) => {
    expect((await post(`/sessions/${id}/end`)).status).toBe(404);
  });
});

describe("add message", () => {
  it("appends in order and answers the complete session", async () => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: "Be brief" } });
    const { status, body } = await post(`/sessions/message?sessionId=${id}`, {
      message: { role: "user", content: "Hi", timestamp: "2024-03-15T04:31:47+08:00" },
    });
    expect(status).toBe(200);
    expect(body.data.messages).toEqual([
      { role: "system", content: "Be brief", timestamp: expect.stringMatching(ISO) },
      { role: "user", content: "Hi", timestamp: "2024-03-14T20:31:47.000Z" },
    ]);
  });

  it.each([
    " padded ",
    "NUL \u0000 inside",
    "emoji 🎉 \u200d",
    '{"a":1}',
    "'; drop table messages; --",
    "x".repeat(100_000),
  ])("keeps content exactly: %j", async (content) => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });
    expect((await get(`/sessions/${id}`)).body.data.messages[0].content).toBe(content);
    await post(`/sessions/${id}/end`);
    expect((await get(`/sessions/${id}`)).body.data.messages[0].content).toBe(content);
  });

  it("appends during a turn, and the message stands where it was appended", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 20 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const content = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
    const contents = async () =>
      (await get(`/sessions/${id}`)).body.data.messages.map((message: { content: string }) => message.content);
    const asked = post(`/sessions/chat?sessionId=${id}`, { content });
    await vi.waitFor(async () => expect(await contents()).toEqual([content]), 10_000);
    const during = await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "Meanwhile" } });
    expect([during.status, during.body.data.messages.at(-1).content]).toEqual([200, "Meanwhile"]);
    expect(await contents()).toEqual([content, "Meanwhile"]);
    expect((await asked).status).toBe(200);
    expect(await contents()).toEqual([content, "Meanwhile", content]);
  });

  it("replaces a lone surrogate with U+FFFD", async () => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, '{"message":{"role":"user","content":"a\\ud800b"}}');
    expect((await get(`/sessions/${id}`)).body.data.messages[0].content).toBe("a\ufffdb");
  });

  it.each([
    ["?sessionId=nope", { message: { role: "user", content: "x" } }, "sessionId"],
    ["", { message: { role: "user", content: "x" } }, "sessionId"],
    [`?sessionId=${NOWHERE}`, { message: { role: "bot", content: "x" } }, "message.role"],
    [`?sessionId=${NOWHERE}`, { message: { role: "user", content: " \n " } }, "message.content"],
    [`?sessionId=${NOWHERE}`, { message: { role: "user", content: "x".repeat(100_001) } }, "message.content"],
    [
      `?sessionId=${NOWHERE}`,
      { message: { role: "user", content: "x", timestamp: "2024-02-30" } },
      "message.timestamp",
    ],
    [`?sessionId=${NOWHERE}`, {}, "message"],
  ])("refuses %s %j with 400", async (query, body, path) => {
    const answer = await post(`/sessions/message${query}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details[0].path).toBe(path);
  });

  it("answers 404 for a session that does not exist", async () => {
    expect(
      (await post(`/sessions/message?sessionId=${NOWHERE}`, { message: { role: "user", content: "x" } })).status,
    ).toBe(404);
  });
});

describe("chat", () => {
  it("answers the chatbot's reply and appends both messages", async () => {
    const id = await createSession();
    const { status, body } = await post(`/sessions/chat?sessionId=${id}`, { content: "Hello World" });
    expect(status).toBe(200);
    expect(body.data).toEqual({ role: "assistant", content: "Hello World", timestamp: expect.stringMatching(ISO) });
    const { data } = (await get(`/sessions/${id}`)).body;
    expect(data.messages).toMatchObject([
      { role: "user", content: "Hello World" },
      { role: "assistant", content: "Hello World" },
    ]);
  });

  it.each([
    [503, 503, "provider_overloaded"],
    [429, 503, "rate_limited"],
    [401, 502, "provider_auth"],
    [400, 502, "provider_rejected"],
    [500, 502, "provider_error"],
  ])("answers an endpoint's %i with %i %s, and keeps the question", async (fail, expected, code) => {
    const endpointId = await createEndpoint({ params: { fail } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const { status, body, headers } = await post(`/sessions/chat?sessionId=${id}`, { content: "Anyone?" });
    expect(status).toBe(expected);
    expect(body).toMatchObject({ success: false, error: { code } });
    expect(headers.has("retry-after")).toBe(expected === 503);
    expect((await get(`/sessions/${id}`)).body.data.messages).toMatchObject([{ role: "user", content: "Anyone?" }]);
  });

  it("answers 504 when the endpoint takes too long", async () => {
    const endpointId = await createEndpoint({ params: { fail: "timeout", timeout_ms: "50" } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const { status, body } = await post(`/sessions/chat?sessionId=${id}`, { content: "Anyone?" });
    expect([status, body.error.code]).toEqual([504, "provider_timeout"]);
  });

  it("answers 404 when the session has ended, or its chatbot is gone", async () => {
    const chatbotId = await createChatbot();
    const id = await createSession({ chatbotId });
    await post(`/sessions/${id}/end`);
    expect((await post(`/sessions/chat?sessionId=${id}`, { content: "x" })).status).toBe(404);
    expect((await del(`/chatbots/${chatbotId}`)).status).toBe(200);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    const { status, body } = await post(`/sessions/chat?sessionId=${id}`, { content: "x" });
    expect(status).toBe(404);
    expect(body.message).toContain("Chatbot");
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
      messages: [],
      chatbotId: { id: chatbotId, deleted: true },
    });
  });
});

describe("delete", () => {
  it("removes the session and its messages", async () => {
    const id = await createSession({ title: unique("gone") });
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "x" } });
    const { status, body } = await del(`/sessions/${id}`);
    expect([status, Object.keys(body)]).toEqual([200, ["success", "message"]]);
    expect((await get(`/sessions/${id}`)).status).toBe(404);
    expect((await del(`/sessions/${id}`)).status).toBe(404);
    expect((await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "x" } })).status).toBe(
      404,
    );
  });
});
