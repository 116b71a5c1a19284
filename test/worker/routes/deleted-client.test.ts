/** What is left of a client's tokens when the client is deleted: nothing. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { call, del, get, post, put } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import { recordD1Answers } from "../../support/d1-answers.ts";
import { connect, followEvents, upgrade } from "../../support/follow.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";

const CALLS: [string, string, unknown?][] = [
  ["GET", "/sessions/ID"],
  ["PUT", "/sessions/ID", { status: "ACTIVE" }],
  ["DELETE", "/sessions/ID"],
  ["POST", "/sessions/ID/end"],
  ["POST", "/sessions/message?sessionId=ID", { message: { role: "user", content: "hi" } }],
  ["POST", "/sessions/chat?sessionId=ID", { content: "hi" }],
  ["GET", "/sessions/ID/messages"],
  ["GET", "/sessions/ID/events"],
  ["POST", "/sessions/ID/tickets"],
  ["POST", "/sessions/ID/stop"],
];

/** A client with an ended session, an API key and a JWT. Both tokens have been used. */
async function createTokens() {
  const clientId = await createClient();
  const chatbotId = await createChatbot();
  const sessionId = await createSession({ chatbotId, clientId });
  const { id: keyId, key } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  const jwt = await signClientToken(clientId);
  for (const token of [key, jwt]) expect((await get(`/sessions/${sessionId}`, { token })).status).toBe(200);
  return { clientId, chatbotId, sessionId, keyId, key: String(key), jwt };
}

describe("after a client was deleted", () => {
  it("its API key is revoked", async () => {
    const { clientId, sessionId, keyId, key } = await createTokens();
    await post(`/sessions/${sessionId}/end`);
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    for (const [method, path, body] of [...CALLS, ["GET", "/me"] as const])
      expect((await call(method, path.replace("ID", sessionId), body, { token: key })).status).toBe(401);
    const keys: { id: string }[] = (await get("/keys")).body.data;
    expect(keys.map(({ id }) => id)).not.toContain(keyId);
    expect((await get(`/sessions/${sessionId}`)).body.data).toMatchObject({ status: "COMPLETED", messages: [] });
  });

  it("a JWT that names it finds nothing, and creates nothing", async () => {
    const { clientId, chatbotId, sessionId, jwt: token } = await createTokens();
    await post(`/sessions/${sessionId}/end`);
    expect((await get("/sessions", { token })).body.data.paginatorInfo.total).toBe(1);
    expect((await get("/me", { token })).body.data).toMatchObject({ role: "client", clientId });
    await del(`/clients/${clientId}`);
    for (const [method, path, body] of CALLS)
      expect((await call(method, path.replace("ID", sessionId), body, { token })).status).toBe(404);
    expect((await upgrade(`/sessions/${sessionId}/ws`, { token })).status).toBe(404);
    for (const query of ["", `?clientId=${clientId}`, "?searchString=a", "?skip=5", `?chatbotId=${chatbotId}`])
      expect((await get(`/sessions${query}`, { token })).body.data).toMatchObject({
        results: [],
        paginatorInfo: { total: 0 },
      });
    expect((await post("/sessions", { chatbotId, clientId }, { token })).status).toBe(404);
    const me = await get("/me", { token });
    expect([me.status, me.body.message]).toEqual([404, "Client not found"]);
    expect((await get(`/sessions/${sessionId}`)).body.data).toMatchObject({ status: "COMPLETED", messages: [] });
    expect((await get(`/sessions?clientId=${clientId}`)).body.data).toMatchObject({ paginatorInfo: { total: 1 } });
  });

  it("a repeated call with a JWT or a key gets no answer from before, under no idempotency key", async () => {
    const { clientId, chatbotId, sessionId, key, jwt } = await createTokens();
    const creation = { chatbotId, title: "once" };
    const chat = { content: "hello" };
    const calls = [
      ["/sessions", creation, {}],
      ["/sessions", { ...creation, title: "another" }, {}],
      [`/sessions/chat?sessionId=${sessionId}`, chat, {}],
      [`/sessions/chat?sessionId=${sessionId}`, chat, { accept: "text/event-stream" }],
      [`/sessions/message?sessionId=${sessionId}`, { message: { role: "user", content: "hello" } }, {}],
    ] as const;
    const repeat = async (token: string) => {
      const answers: [status: number, replayed: string | null][] = [];
      for (const [index, [path, body, accept]] of calls.entries()) {
        const options = { token, headers: { "idempotency-key": `k${index}`, ...accept } };
        const { status, headers } = await post(path, body, options);
        answers.push([status, headers.get("idempotency-replayed")]);
      }
      return answers;
    };
    const list = async () => (await get(`/sessions?clientId=${clientId}`)).body.data.results as { id: string }[];
    for (const token of [jwt, key]) {
      await repeat(token);
      expect((await repeat(token)).map(([, replayed]) => replayed)).toEqual(calls.map(() => "true"));
    }
    for (const { id } of await list()) await post(`/sessions/${id}/end`);
    const before = (await list()).length;
    // Another isolate deletes the client: what this one remembers of the key stays.
    await env.DB.prepare("update clients set deleted_at = 1 where id = ?").bind(clientId).run();
    expect((await repeat(key)).slice(0, 2)).toEqual([
      [404, null],
      [404, null],
    ]);
    await env.DB.prepare("update clients set deleted_at = null where id = ?").bind(clientId).run();
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    expect(await repeat(jwt)).toEqual(calls.map(() => [404, null]));
    expect(await repeat(key)).toEqual(calls.map(() => [401, null]));
    expect((await list()).length).toBe(before);
  });

  it("all its keys are revoked, however many, and D1 does not send them", async () => {
    const { clientId, sessionId } = await createTokens();
    await post(`/sessions/${sessionId}/end`);
    await env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
        insert into keys (id, name, role, client_id, hash, created_at)
        select printf('%024x', i), 'short', 'client', ?1, 'hash of ' || i, 1 from n`,
    )
      .bind(clientId)
      .run();
    const [answers, lines] = [recordD1Answers(), vi.spyOn(console, "info")];
    await del(`/clients/${clientId}`);
    const deleted = lines.mock.calls.map(([line]) => line as object).find((line) => "revokedKeys" in line);
    vi.restoreAllMocks();
    expect(deleted).toMatchObject({ event: "client-deleted", clientId, revokedKeys: 3_001 });
    expect(Math.max(...answers)).toBeLessThan(10_000);
    expect(await env.DB.prepare("select count(*) as n from keys where client_id = ?").bind(clientId).first("n")).toBe(
      0,
    );
  });

  it("a JWT finds nothing 30 seconds later, without any notice of the deletion", async () => {
    const { clientId, sessionId, jwt: token } = await createTokens();
    await post(`/sessions/${sessionId}/end`);
    // Another isolate deletes the client: what this one remembers stays.
    await env.DB.prepare("update clients set deleted_at = 1 where id = ?").bind(clientId).run();
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 30_000);
    const { status } = await get(`/sessions/${sessionId}`, { token });
    clock.mockRestore();
    expect(status).toBe(404);
  });

  it("a JWT that is used 16 seconds later is not held up by the look at D1, which refuses it then", async () => {
    const { clientId, sessionId, jwt: token } = await createTokens();
    await post(`/sessions/${sessionId}/end`);
    await env.DB.prepare("update clients set deleted_at = 1 where id = ?").bind(clientId).run();
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 16_000);
    const status = async () => (await get(`/sessions/${sessionId}`, { token })).status;
    expect(await status()).toBe(200);
    await vi.waitFor(async () => expect(await status()).toBe(404), { timeout: 10_000 });
    clock.mockRestore();
  });

  it("a ticket that was made for it opens nothing", async () => {
    const { clientId, sessionId, jwt, key } = await createTokens();
    const tickets: string[] = [];
    for (const token of [jwt, key])
      tickets.push((await post(`/sessions/${sessionId}/tickets`, undefined, { token })).body.data.ticket);
    await post(`/sessions/${sessionId}/end`);
    await del(`/clients/${clientId}`);
    for (const ticket of tickets)
      expect((await upgrade(`/sessions/${sessionId}/ws?ticket=${ticket}`, { token: null })).status).toBe(401);
  });

  it("a key that was made for it while it was being deleted does not work", async () => {
    const { clientId, sessionId } = await createTokens();
    const { key: token } = (await post("/keys", { name: "late", role: "client", clientId })).body.data;
    await env.DB.prepare("update clients set deleted_at = 1 where id = ?").bind(clientId).run();
    expect((await get(`/sessions/${sessionId}`, { token })).status).toBe(401);
  });

  it("what is open with its tokens closes", async () => {
    const { clientId, sessionId, jwt, key } = await createTokens();
    const { ticket } = (await post(`/sessions/${sessionId}/tickets`, undefined, { token: jwt })).body.data;
    const sockets = [
      await connect(`/sessions/${sessionId}/ws`, { token: key }),
      await connect(`/sessions/${sessionId}/ws`, { token: jwt }),
      await connect(`/sessions/${sessionId}/ws?ticket=${ticket}`, { token: null }),
    ];
    const streams = [
      await followEvents(`/sessions/${sessionId}/events`, undefined, { token: key }),
      await followEvents(`/sessions/${sessionId}/events`, undefined, { token: jwt }),
    ];
    const other = await connect(`/sessions/${sessionId}/ws`);
    for (const follower of [...sockets, ...streams]) await follower.next("session-snapshot");
    // As if the session had been opened again, and D1 did not know yet.
    await env.DB.prepare("update sessions set status = 'COMPLETED' where id = ?").bind(sessionId).run();
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    for (const socket of sockets) {
      await socket.until(({ closed }) => closed !== null);
      expect(socket.closed).toMatchObject({ code: 4401 });
    }
    for (const stream of streams) expect(await stream.next("stream-closed")).toMatchObject({ code: 4401 });
    other.send({ type: "message-append", id: "a", role: "user", content: "still here" });
    await other.next("ack");
  });
});

it("a client that cannot be deleted keeps its keys", async () => {
  const { clientId, sessionId, key, jwt } = await createTokens();
  expect((await del(`/clients/${clientId}`)).status).toBe(409);
  for (const token of [key, jwt])
    expect((await put(`/sessions/${sessionId}`, { title: "mine" }, { token })).status).toBe(200);
});
