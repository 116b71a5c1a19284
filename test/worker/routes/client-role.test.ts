/** What a client's API key may do, and what happens when a key is revoked. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, del, get, post, put } from "../../support/api.ts";
import { breakD1 } from "../../support/faults.ts";
import { connect, followEvents, upgrade } from "../../support/follow.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const NOWHERE = "0123456789abcdef01234567";

/** A client with a key and a session, and a session of another client with the same chatbot. */
async function twoClients() {
  const [clientId, otherId] = [await createClient(), await createClient()];
  const chatbotId = await createChatbot({ description: "Helps", systemPrompt: "Be secretive", greeting: "Hello" });
  const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  const [own, foreign] = [
    await createSession({ chatbotId, clientId, title: "Own affairs" }),
    await createSession({ chatbotId, clientId: otherId, title: "Foreign affairs" }),
  ];
  return { token: token as string, clientId, otherId, chatbotId, own, foreign };
}

const CALLS: [string, string, unknown?, Record<string, string>?][] = [
  ["GET", "/sessions/ID"],
  ["PUT", "/sessions/ID", { title: "Mine now" }],
  ["DELETE", "/sessions/ID"],
  ["POST", "/sessions/ID/end"],
  ["POST", "/sessions/message?sessionId=ID", { message: { role: "user", content: "hi" } }],
  ["POST", "/sessions/chat?sessionId=ID", { content: "hi" }],
  ["POST", "/sessions/chat?sessionId=ID", { content: "hi" }, { accept: "text/event-stream" }],
  ["GET", "/sessions/ID/messages"],
  ["PUT", "/sessions/ID/messages/1/feedback", { rating: 1 }],
  ["DELETE", "/sessions/ID/messages/1/feedback"],
  ["GET", "/sessions/ID/export"],
  ["GET", "/sessions/ID/stats"],
  ["GET", "/sessions/ID/events"],
  ["GET", "/sessions/ID/ws", undefined, { upgrade: "websocket" }],
  ["POST", "/sessions/ID/tickets"],
  ["POST", "/sessions/ID/stop"],
];

describe("a client's token", () => {
  it("works for its own sessions on every route", async () => {
    const { token, clientId, chatbotId, own } = await twoClients();
    expect((await post("/sessions", { chatbotId, clientId }, { token })).status).toBe(201);
    expect((await put(`/sessions/${own}`, { feedback: { rating: 5 } }, { token })).status).toBe(200);
    const appended = await post(
      `/sessions/message?sessionId=${own}`,
      { message: { role: "user", content: "a" } },
      { token },
    );
    expect(appended.status).toBe(200);
    expect((await post(`/sessions/chat?sessionId=${own}`, { content: "b" }, { token })).body.data.content).toBe("b");
    expect((await get(`/sessions/${own}/messages`, { token })).body.data.messages).toHaveLength(4);
    const reader = await followEvents(`/sessions/${own}/events?after=0`, undefined, { token });
    await reader.next("message-appended", 4);
    const { ticket } = (await post(`/sessions/${own}/tickets`, undefined, { token })).body.data;
    const client = await connect(`/sessions/${own}/ws?ticket=${ticket}`, { token: null });
    client.send({ type: "message-append", id: "1", role: "assistant", content: "not me" });
    expect(await client.next("failure")).toMatchObject({ code: "forbidden" });
    client.send({ type: "message-append", id: "2", role: "user", content: "me" });
    await client.next("ack");
    expect((await post(`/sessions/${own}/stop`, undefined, { token })).status).toBe(200);
    expect((await post(`/sessions/${own}/end`, undefined, { token })).status).toBe(200);
    expect((await del(`/sessions/${own}`, { token })).status).toBe(200);
    expect((await get(`/sessions/${own}`, { token })).status).toBe(404);
  });

  it.each(CALLS)(
    "gets the same answer for another's session as for none: %s %s",
    async (method, path, body, headers = {}) => {
      const { token, foreign } = await twoClients();
      await post(`/sessions/message?sessionId=${foreign}`, { message: { role: "user", content: "private" } });
      const asked = async (id: string) => {
        const prepared = vi.spyOn(env.DB, "prepare");
        const object = vi.spyOn(env.SESSIONS, "getByName");
        const { status, body: answer } = await call(method, path.replace("ID", id), body, { token, headers });
        const work = [prepared.mock.calls, object.mock.calls.length];
        vi.restoreAllMocks();
        return { status, answer: { ...answer, error: { ...answer.error, requestId: "" } }, work };
      };
      // From here on the key is cached, so both calls cost the same.
      await asked(NOWHERE);
      const [theirs, nobodys] = [await asked(foreign), await asked(NOWHERE)];
      expect(theirs.status).toBe(404);
      expect(theirs).toEqual(nobodys);
      expect(theirs.work[1]).toBe(0);
      expect((await get(`/sessions/${foreign}`)).body.data).toMatchObject({
        title: "Foreign affairs",
        status: "ACTIVE",
      });
    },
  );

  it("lists its own sessions only, whatever the filter", async () => {
    const { token, clientId, otherId, chatbotId, own } = await twoClients();
    const listed = async (query: string) => {
      const { body } = await get(`/sessions?${query}`, { token });
      return [body.data.results.map(({ id }: { id: string }) => id), body.data.paginatorInfo.total];
    };
    expect(await listed("")).toEqual([[own], 1]);
    expect(await listed(`clientId=${clientId}`)).toEqual([[own], 1]);
    expect(await listed(`chatbotId=${chatbotId}`)).toEqual([[own], 1]);
    expect(await listed("searchString=affairs")).toEqual([[own], 1]);
    expect(await listed(`clientId=${otherId}`)).toEqual([[], 0]);
    expect(await listed("searchString=Foreign")).toEqual([[], 0]);
  });

  it("sees only the name and description of a chatbot", async () => {
    const { token, chatbotId, own } = await twoClients();
    const shown = { id: chatbotId, name: expect.any(String), description: "Helps" };
    expect((await get(`/sessions/${own}`, { token })).body.data.chatbotId).toEqual(shown);
    expect((await get("/sessions", { token })).body.data.results[0].chatbotId).toEqual(shown);
    expect((await get(`/sessions/${own}`)).body.data.chatbotId).toMatchObject({ systemPrompt: "Be secretive" });
  });

  it("creates its own sessions only, and writes as the user only: otherwise 403", async () => {
    const { token, otherId, chatbotId, own, foreign } = await twoClients();
    expect((await post("/sessions", { chatbotId, clientId: otherId }, { token })).status).toBe(403);
    expect((await get("/sessions", { token })).body.data.paginatorInfo.total).toBe(1);
    for (const id of [own, foreign, NOWHERE]) {
      const message = { role: "system", content: "Be brief" };
      expect((await post(`/sessions/message?sessionId=${id}`, { message }, { token })).status).toBe(403);
    }
  });

  it("need not name its client when it creates a session, and names no other", async () => {
    const { token, clientId, otherId, chatbotId } = await twoClients();
    const own = { token, headers: { "idempotency-key": "own" } };
    const created = await post("/sessions", { chatbotId }, own);
    expect([created.status, created.body.data.clientId]).toEqual([201, clientId]);
    const named = await post("/sessions", { chatbotId, clientId }, own);
    expect([named.body.data.id, named.headers.get("idempotency-replayed")]).toEqual([created.body.data.id, "true"]);
    expect((await post("/sessions", { chatbotId, clientId: otherId }, { token })).status).toBe(403);
    expect((await post("/sessions", { chatbotId, clientId: "" }, { token })).status).toBe(400);
    const unnamed = await post("/sessions", { chatbotId });
    expect([unnamed.status, unnamed.body.error.details]).toEqual([
      400,
      [{ path: "clientId", message: expect.stringContaining("required") }],
    ]);
  });

  it("keeps working in its session while D1 is down", async () => {
    const { token, own } = await twoClients();
    await post(`/sessions/chat?sessionId=${own}`, { content: "before" }, { token });
    const repairD1 = breakD1();
    expect((await post(`/sessions/chat?sessionId=${own}`, { content: "during" }, { token })).status).toBe(200);
    repairD1();
  });

  it("can be made for an existing client only", async () => {
    const make = async (fields: object) => (await post("/keys", { name: "k", ...fields })).status;
    expect(await make({ role: "client", clientId: NOWHERE })).toBe(404);
    expect(await make({ role: "client" })).toBe(400);
    expect(await make({ role: "service", clientId: await createClient() })).toBe(400);
    expect(await make({ role: "service", expiresAt: "2020-01-01" })).toBe(400);
  });
});

describe("a revoked key", () => {
  it.each(["admin", "service", "client"])(
    "of role %s closes its sockets with 4401 and ends its event streams",
    async (role) => {
      const clientId = await createClient();
      const id = await createSession({ clientId });
      const own = role === "client" ? { clientId } : {};
      const { key: token, id: keyId } = (await post("/keys", { name: "k", role, ...own })).body.data;
      const { ticket } = (await post(`/sessions/${id}/tickets`, undefined, { token })).body.data;
      const socket = await connect(`/sessions/${id}/ws`, { token });
      const byTicket = await connect(`/sessions/${id}/ws?ticket=${ticket}`, { token: null });
      const reader = await followEvents(`/sessions/${id}/events`, undefined, { token });
      const stayer = await connect(`/sessions/${id}/ws`);
      await Promise.all([socket, byTicket, reader, stayer].map((one) => one.next("session-snapshot")));
      expect((await del(`/keys/${keyId}`)).status).toBe(200);
      await socket.until(({ closed }) => closed !== null);
      await byTicket.until(({ closed }) => closed !== null);
      expect(socket.closed).toEqual({ code: 4401, reason: "token revoked" });
      expect(byTicket.closed).toMatchObject({ code: 4401 });
      expect(await reader.next("stream-closed")).toMatchObject({ code: 4401 });
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "still here" } });
      await stayer.next("message-appended");
      const left = await env.DB.prepare("select * from subscriptions where key_id = ?").bind(keyId).all();
      expect(left.results).toEqual([]);
    },
  );

  it("opens nothing, even where the revocation is not known yet", async () => {
    const id = await createSession();
    const { key: token, id: keyId } = (await post("/keys", { name: "k", role: "service" })).body.data;
    expect((await get(`/sessions/${id}`, { token })).status).toBe(200);
    // Revoked elsewhere: this isolate still has the key in its cache.
    await env.DB.prepare("delete from keys where id = ?").bind(keyId).run();
    expect((await get(`/sessions/${id}`, { token })).status).toBe(200);
    expect((await upgrade(`/sessions/${id}/ws`, { token })).status).toBe(401);
    expect((await get(`/sessions/${id}/events`, { token })).status).toBe(401);
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 30_000);
    expect((await get(`/sessions/${id}`, { token })).status).toBe(401);
    later.mockRestore();
  });

  it("is handled by the cron job when its subscribers could not be reached", async () => {
    const id = await createSession();
    const { key: token, id: keyId } = (await post("/keys", { name: "k", role: "service" })).body.data;
    const socket = await connect(`/sessions/${id}/ws`, { token });
    await env.DB.prepare("delete from keys where id = ?").bind(keyId).run();
    const { default: worker } = await import("../../../src/index.ts");
    const { createScheduledController } = await import("cloudflare:test");
    await worker.scheduled(createScheduledController(), env);
    await socket.until(({ closed }) => closed !== null);
    expect(socket.closed).toMatchObject({ code: 4401 });
  });

  it("keeps a socket that it opened while D1 was down for a minute at most", async () => {
    const id = await createSession();
    const { key: token } = (await post("/keys", { name: "k", role: "service" })).body.data;
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "a" } }, { token });
    const repairD1 = breakD1();
    const socket = await connect(`/sessions/${id}/ws`, { token });
    await socket.next("session-snapshot");
    repairD1();
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_001);
    socket.send({ type: "turn-cancel", id: "1" });
    await socket.until(({ closed }) => closed !== null);
    expect(socket.closed).toMatchObject({ code: 4401 });
    later.mockRestore();
  });
});

describe("the last use of a key", () => {
  it("is saved once in ten minutes", async () => {
    const { key: token, id } = (await post("/keys", { name: "k", role: "service" })).body.data;
    const lastUsedAt = async () =>
      (await get("/keys")).body.data.find((key: { id: string }) => key.id === id).lastUsedAt as string | undefined;
    expect(await lastUsedAt()).toBeUndefined();
    await get("/sessions", { token });
    await vi.waitFor(async () => expect(await lastUsedAt()).toBeDefined(), { timeout: 20_000 });
    const first = await lastUsedAt();
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 300_000);
    await get("/sessions", { token });
    expect(await lastUsedAt()).toBe(first);
    later.mockReturnValue(Date.now() + 400_000);
    await get("/sessions", { token });
    await vi.waitFor(async () => expect(await lastUsedAt()).not.toBe(first), { timeout: 20_000 });
    later.mockRestore();
  });
});
