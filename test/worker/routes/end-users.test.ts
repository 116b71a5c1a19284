/** What callers of role `client` do not see: system messages, a provider's words, the notes about them. */
import { describe, expect, inject, it } from "vitest";
import { REPLY_ERROR_MESSAGES } from "../../../src/core/failure.ts";
import { get, post, put } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import type { EventInbox } from "../../support/follow.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";

/** In the log of each session here. No client may see it. */
const HIDDEN = "Be secretive about the recipe";

const upstream = inject("upstream");

/** Endpoints whose replies fail, each with a word of its failure that no client may see. */
const FAILING = [
  ["of the provider", "provider_rejected", { uri: `${upstream}/openai/422` }, "The provider answered"],
  ["of the secret", "provider_auth", { uri: upstream, token: "env:PROVIDER_NOT_SET" }, "PROVIDER_NOT_SET"],
] as const;

async function withSystemMessage(fields: Record<string, unknown> = {}) {
  const clientId = await createClient({ metadata: { risk: "high" }, email: "ada@example.com" });
  const chatbotId = await createChatbot({ greeting: "Hello", ...fields });
  const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  const id = await createSession({ chatbotId, clientId, metadata: { order: 7 } });
  await post(`/sessions/message?sessionId=${id}`, { message: { role: "system", content: HIDDEN } });
  return { id, token: token as string, clientId };
}

/** Socket and event stream, of a client and of a service. */
async function fourFollowers(id: string, token: string, after = "") {
  const { ticket } = (await post(`/sessions/${id}/tickets`, undefined, { token })).body.data;
  const clients = [
    await followEvents(`/sessions/${id}/events?${after}`, undefined, { token }),
    await connect(`/sessions/${id}/ws?ticket=${ticket}&${after}`, { token: null }),
  ];
  const staff = [await followEvents(`/sessions/${id}/events?${after}`), await connect(`/sessions/${id}/ws?${after}`)];
  return { clients, staff };
}

const shownTo = (inboxes: EventInbox[]): string => JSON.stringify(inboxes.map(({ events }) => events));

describe("system messages are hidden from a client", () => {
  it("in every answer that shows a session, and nobody else misses them", async () => {
    const { id, token } = await withSystemMessage();
    const message = { role: "user", content: "Hi" };
    const asked = async (as: { token?: string }) => [
      await get(`/sessions/${id}`, as),
      await get("/sessions?limit=100", as),
      await get(`/sessions/${id}/messages`, as),
      await put(`/sessions/${id}`, { title: "Mine" }, as),
      await post(`/sessions/message?sessionId=${id}`, { message }, as),
      await post(`/sessions/${id}/end`, undefined, as),
    ];
    for (const { status, body } of await asked({ token })) {
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain("Hello");
      expect(JSON.stringify(body)).not.toContain(HIDDEN);
    }
    expect((await get(`/sessions/${id}`, { token })).body.data.messages).toHaveLength(2);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    for (const { body } of await asked({})) expect(JSON.stringify(body)).toContain(HIDDEN);
  });

  it("in answers that are sent while a long log is read, in its object and in D1", async () => {
    const { id, token } = await withSystemMessage();
    const message = { role: "user", content: "x".repeat(90_000) };
    for (let n = 0; n < 4; n++) await post(`/sessions/message?sessionId=${id}`, { message });
    for (const isEnded of [false, true]) {
      if (isEnded) await post(`/sessions/${id}/end`, undefined, { token });
      for (const path of [`/sessions/${id}`, `/sessions/${id}/messages?limit=1000`]) {
        const { messages } = (await get(path, { token })).body.data;
        expect([path, messages.map(({ role }: { role: string }) => role)]).toEqual([
          path,
          ["assistant", "user", "user", "user", "user"],
        ]);
        expect((await get(path)).body.data.messages).toHaveLength(6);
      }
    }
  });

  it("on pages, which go on after them", async () => {
    const { id, token } = await withSystemMessage();
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "Hi" } });
    const page = async (after: number) =>
      (await get(`/sessions/${id}/messages?after=${after}&limit=1`, { token })).body.data;
    expect(await page(1)).toEqual({ messages: [], nextAfter: 2 });
    expect((await page(2)).messages).toMatchObject([{ seq: 3, content: "Hi" }]);
  });

  it("while they come, in a replay, and after the session has ended", async () => {
    const { id, token } = await withSystemMessage();
    const live = await fourFollowers(id, token);
    for (const inbox of [...live.clients, ...live.staff]) await inbox.next("session-snapshot");
    const [system, user] = [
      { role: "system", content: `${HIDDEN}, please` },
      { role: "user", content: "Hi" },
    ];
    for (const message of [system, user]) await post(`/sessions/message?sessionId=${id}`, { message });
    for (const inbox of live.clients) expect(await inbox.next("message-appended")).toMatchObject({ content: "Hi" });
    for (const inbox of live.staff) await inbox.next("message-appended", 2);
    const replayed = await fourFollowers(id, token, "after=0");
    for (const inbox of replayed.clients) await inbox.next("message-appended", 2);
    for (const inbox of replayed.staff) await inbox.next("message-appended", 4);
    await post(`/sessions/${id}/end`);
    const ended = await fourFollowers(id, token, "after=0");
    for (const inbox of [...ended.clients, ...ended.staff]) await inbox.until(({ closed }) => closed !== null);
    expect(shownTo([...live.clients, ...replayed.clients, ...ended.clients])).not.toContain(HIDDEN);
    for (const inbox of [...live.staff, ...replayed.staff, ...ended.staff]) expect(shownTo([inbox])).toContain(HIDDEN);
  });
});

describe.each(FAILING)(
  "a failed reply shows a client its code and our own words, not those %s",
  (_, code, fields, word) => {
    const failing = async () =>
      withSystemMessage({
        endpointId: await createEndpoint({ connector_type: "openai-connector", model: "m", ...fields }),
      });
    const shown = { code, message: REPLY_ERROR_MESSAGES[code] };

    it("in the answer of a chat", async () => {
      const { id, token } = await failing();
      const path = `/sessions/chat?sessionId=${id}`;
      const headers = { "idempotency-key": crypto.randomUUID() };
      for (const options of [
        { token, headers },
        { token, headers },
      ]) {
        const { status, body } = await post(path, { content: "Hi" }, options);
        expect([status, body.message, body.error.code]).toEqual([502, shown.message, code]);
        expect(JSON.stringify(body)).not.toContain(word);
      }
      expect((await post(path, { content: "Hi" })).body.message).toContain(word);
      for (const { body } of [
        await get(`/sessions/${id}`, { token }),
        await get(`/sessions/${id}/messages`, { token }),
      ])
        expect(JSON.stringify(body)).not.toContain(word);
    });

    it("in events of its own prompt, and when the call is repeated", async () => {
      const { id, token } = await failing();
      const headers = { "idempotency-key": crypto.randomUUID() };
      for (const options of [
        { token, headers },
        { token, headers },
      ]) {
        const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "Hi" }, options);
        expect((await reader.next("reply-end"))["error"]).toEqual(shown);
        await reader.until(({ closed }) => closed !== null);
        expect(shownTo([reader])).not.toContain(word);
      }
      const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "Hi" });
      expect((await reader.next("reply-end"))["error"].message).toContain(word);
    });

    it("in events of the session, beside a service that sees all", async () => {
      const { id, token } = await failing();
      const { clients, staff } = await fourFollowers(id, token);
      for (const inbox of [...clients, ...staff]) await inbox.next("session-snapshot");
      await post(`/sessions/chat?sessionId=${id}`, { content: "Hi" });
      for (const inbox of clients) {
        expect((await inbox.next("reply-end"))["error"]).toEqual(shown);
        await inbox.next("turn-ended");
      }
      for (const inbox of staff) expect((await inbox.next("reply-end"))["error"].message).toContain(word);
      expect(shownTo(clients)).not.toContain(word);
    });
  },
);

it("a client does not see the metadata of its own record, but that of its session", async () => {
  const { id, token, clientId } = await withSystemMessage();
  const shown = [
    (await get(`/sessions/${id}`, { token })).body.data,
    (await get("/sessions", { token })).body.data.results[0],
  ];
  for (const session of shown) {
    expect(session.metadata).toEqual({ order: 7 });
    expect(session.clientId).toMatchObject({ id: clientId, email: "ada@example.com" });
    expect(session.clientId).not.toHaveProperty("metadata");
  }
  expect((await get(`/sessions/${id}`)).body.data.clientId.metadata).toEqual({ risk: "high" });
});

it("says what happened for every code, without the name of a setting", () => {
  for (const message of Object.values(REPLY_ERROR_MESSAGES))
    expect(message).toMatch(/^[A-Z][a-z ]+\.( [A-Z][a-z ]+\.)?$/);
});
