/**
 * Sockets that were asked to close, and whose clients do not answer the Close frame. The runtime still lists them and delivers
 * their frames, so the session must not.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { connect } from "../../support/follow.ts";
import type { SocketClient } from "../../support/follow.ts";
import { createClient, createSession } from "../../support/create.ts";

const objectOf = (id: string) => env.SESSIONS.getByName(id);
const append = (id: string, content: string) => ({ type: "message-append", id, role: "assistant", content });

const createKey = async (fields: Record<string, unknown> = {}): Promise<{ id: string; key: string }> =>
  (await post("/keys", { name: "key", role: "service", ...fields })).body.data;

const messagesOf = async (sessionId: string): Promise<string[]> =>
  (await get(`/sessions/${sessionId}`)).body.data.messages.map(({ content }: { content: string }) => content);

interface Case {
  code: number;
  expiresAt?: string;
  /** Makes the session's object close the socket. */
  close: (closing: { client: SocketClient; sessionId: string; keyId: string }) => Promise<unknown>;
}

const CASES: Record<string, () => Case> = {
  "its key is revoked": () => ({ code: 4401, close: ({ keyId }) => del(`/keys/${keyId}`) }),
  "its token expires": () => ({
    code: 4401,
    expiresAt: new Date(Date.now() + 2_000).toISOString(),
    close: async ({ sessionId }) => {
      await scheduler.wait(2_050);
      await runInDurableObject(objectOf(sessionId), (object) => object.alarm());
    },
  }),
  "it sends too many frames": () => ({
    code: 4429,
    close: async ({ client }) => {
      for (let n = 0; n < 101; n++) client.send({ type: "turn-cancel", id: `c${n}` });
    },
  }),
  "it sends no frames": () => ({
    code: 4400,
    close: async ({ client }) => {
      for (let n = 0; n < 10; n++) client.send("bad");
    },
  }),
  "it sends a frame that is too large": () => ({
    code: 1009,
    close: async ({ client }) => client.send("x".repeat(1_100_000)),
  }),
  "the session ends": () => ({ code: 1000, close: ({ sessionId }) => post(`/sessions/${sessionId}/end`) }),
};

describe.each(Object.entries(CASES))("a socket that was asked to close because %s", (_, makeCase) => {
  it("gets no event, and none of its frames does anything, also after hibernation", async () => {
    const sessionId = await createSession();
    const { code, expiresAt, close } = makeCase();
    const { id: keyId, key } = await createKey({ ...(expiresAt && { expiresAt }) });
    const client = await connect(`/sessions/${sessionId}/ws`, { token: key, answersClose: false });
    await client.next("session-snapshot");
    await close({ client, sessionId, keyId });
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code });
    const eventsBefore = client.events.length;
    // The frames of a session that has ended are refused anyway.
    if (code === 1000) await put(`/sessions/${sessionId}`, { status: "ACTIVE" });

    const forge = async (name: string) => {
      client.send(append(`a-${name}`, `forged ${name}`));
      client.send({ type: "prompt-submit", id: `p-${name}`, content: `paid ${name}` });
      // Frames are handled in order, so an open socket's answer shows that the closed one's have been.
      const other = await connect(`/sessions/${sessionId}/ws`);
      other.send(append(`o-${name}`, `honest ${name}`));
      await other.next("ack");
      await scheduler.wait(100);
      other.socket.close();
    };
    await forge("at once");
    await evictDurableObject(objectOf(sessionId));
    await forge("after hibernation");
    expect(await messagesOf(sessionId)).toEqual(["honest at once", "honest after hibernation"]);
    expect(client.events).toHaveLength(eventsBefore);
  });
});

it("a socket to a deleted session does nothing to it", async () => {
  const sessionId = await createSession();
  const client = await connect(`/sessions/${sessionId}/ws`, { answersClose: false });
  await del(`/sessions/${sessionId}`);
  await client.until(({ closed }) => closed !== null);
  const eventsBefore = client.events.length;
  client.send(append("a", "forged"));
  await scheduler.wait(100);
  expect((await get(`/sessions/${sessionId}`)).status).toBe(404);
  expect(client.events).toHaveLength(eventsBefore);
});

describe("sockets of one caller on one session", () => {
  it("are at most 20, and those that were asked to close do not count", async () => {
    const clientId = await createClient();
    const sessionId = await createSession({ clientId });
    const { key } = await createKey({ role: "client", clientId });
    const open = () => connect(`/sessions/${sessionId}/ws`, { token: key, answersClose: false });
    const closed = await Promise.all(Array.from({ length: 20 }, open));
    await expect(open()).rejects.toThrow("429");
    await connect(`/sessions/${sessionId}/ws`);
    for (const client of closed) for (let n = 0; n < 10; n++) client.send("bad");
    await Promise.all(closed.map((client) => client.until(() => client.closed !== null)));
    await Promise.all(Array.from({ length: 20 }, open));
    await expect(open()).rejects.toThrow("429");
  });

  it("cannot pass the limit by opening at the same time", async () => {
    const sessionId = await createSession();
    const opened = await Promise.allSettled(
      Array.from({ length: 30 }, () => connect(`/sessions/${sessionId}/ws?after=0`)),
    );
    expect(opened.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
  });
});
