/**
 * Sockets that were asked to close, and whose clients do not answer the Close frame. The runtime still lists them and delivers
 * their frames, so the session must not.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { breakD1 } from "../../support/faults.ts";
import { connect } from "../../support/follow.ts";
import type { SocketClient } from "../../support/follow.ts";
import { createClient, createSession } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";

const HOUR_MS = 3_600_000;

const objectOf = (id: string) => env.SESSIONS.getByName(id);
const append = (id: string, content: string) => ({ type: "message-append", id, role: "assistant", content });

const createKey = async (fields: Record<string, unknown> = {}): Promise<{ id: string; key: string }> =>
  (await post("/keys", { name: "key", role: "service", ...fields })).body.data;

/** What this file's frames have left in a session. */
const writtenTo = async (sessionId: string): Promise<string[]> =>
  (await get(`/sessions/${sessionId}`)).body.data.messages
    .map(({ content }: { content: string }) => content)
    .filter((content: string) => /^(forged|paid|honest)/.test(content));

/** A socket of a new key, whose client answers no Close frame. */
interface Opened {
  client: SocketClient;
  sessionId: string;
  keyId: string;
}

/** How the session's object comes to close a socket. */
interface Case {
  code: number;
  expiresAt?: string;
  /** Where the socket begins to follow, in a session with this many messages. */
  history?: { after: number; messages: number };
  close: (opened: Opened) => Promise<unknown>;
  /** Makes the session accept frames again, where it would refuse them for another reason than the closed socket. */
  reopen?: (sessionId: string) => Promise<unknown>;
}

/** Runs the alarm of a session at a later time. */
async function runAlarmAt(sessionId: string, at: number): Promise<void> {
  const clock = vi.spyOn(Date, "now").mockReturnValue(at);
  await runDurableObjectAlarm(objectOf(sessionId));
  clock.mockRestore();
}

const reactivate = (sessionId: string) => put(`/sessions/${sessionId}`, { status: "ACTIVE" });

/** Deletes a session. @returns what brings it back into D1, as restoring a backup does */
async function deleteSession(sessionId: string): Promise<() => Promise<unknown>> {
  const row = await env.DB.prepare("select * from sessions where id = ?").bind(sessionId).first();
  await del(`/sessions/${sessionId}`);
  const columns = Object.keys(row ?? {});
  const insert = `insert into sessions (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`;
  return () =>
    env.DB.prepare(insert)
      .bind(...Object.values(row ?? {}))
      .run();
}

const CASES: Record<string, () => Case> = {
  "its key is revoked": () => ({ code: 4401, close: ({ keyId }) => del(`/keys/${keyId}`) }),
  "its token expires, whatever the clock says later": () => ({
    code: 4401,
    expiresAt: new Date(Date.now() + HOUR_MS).toISOString(),
    close: ({ sessionId }) => runAlarmAt(sessionId, Date.now() + HOUR_MS),
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
  "it has too much to read": () => ({
    code: 1013,
    close: async ({ client, sessionId }) => {
      const message = { role: "user", content: "y".repeat(100_000) };
      const options = { headers: { prefer: "return=minimal" } };
      for (let n = 0; n < 100 && client.closed === null; n++)
        await post(`/sessions/message?sessionId=${sessionId}`, { message }, options);
    },
  }),
  "the log cannot be read": () => {
    let repair = () => {};
    return {
      code: 1011,
      history: { after: 0, messages: 3_000 },
      close: async ({ client }) => {
        repair = breakD1();
        await client.until(({ closed }) => closed !== null);
      },
      reopen: (sessionId) => {
        repair();
        return reactivate(sessionId);
      },
    };
  },
  "the session ends": () => ({
    code: 1000,
    close: ({ sessionId }) => post(`/sessions/${sessionId}/end`),
    reopen: reactivate,
  }),
  "the session is deleted, and comes back from a backup": () => {
    let restore: () => Promise<unknown>;
    return {
      code: 4404,
      close: async ({ sessionId }) => {
        restore = await deleteSession(sessionId);
      },
      reopen: () => restore(),
    };
  },
};

describe.each(Object.entries(CASES))("a socket that was asked to close because %s", (_, makeCase) => {
  it("gets no event, and none of its frames does anything, also after hibernation", async () => {
    const sessionId = await createSession();
    const { code, expiresAt, history, close, reopen } = makeCase();
    if (history) {
      await writeLog(
        sessionId,
        Array.from({ length: history.messages }, (__, n) => ({ prompt: `${n}`, replies: [] })),
      );
      await post(`/sessions/${sessionId}/end`);
    }
    const { id: keyId, key } = await createKey({ ...(expiresAt && { expiresAt }) });
    const query = history ? `?after=${history.after}` : "";
    const client = await connect(`/sessions/${sessionId}/ws${query}`, { token: key, answersClose: false });
    await client.next("session-snapshot");
    await close({ client, sessionId, keyId });
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code });
    const eventsBefore = client.events.length;
    await reopen?.(sessionId);

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
    expect(await writtenTo(sessionId)).toEqual(["honest at once", "honest after hibernation"]);
    expect(client.events).toHaveLength(eventsBefore);
  });
});

it("a socket that was asked to close because its token expired sets no alarm", async () => {
  const sessionId = await createSession();
  const { key } = await createKey({ expiresAt: new Date(Date.now() + HOUR_MS).toISOString() });
  const client = await connect(`/sessions/${sessionId}/ws`, { token: key, answersClose: false });
  await client.next("session-snapshot");
  const alarmOf = () => runInDurableObject(objectOf(sessionId), (_, { storage }) => storage.getAlarm());
  expect(await alarmOf()).toBeGreaterThan(Date.now());
  await runAlarmAt(sessionId, Date.now() + HOUR_MS);
  await client.until(({ closed }) => closed !== null);
  // Only the alarm for when the session may be idle, in a week.
  expect(await alarmOf()).toBeGreaterThan(Date.now() + 100 * HOUR_MS);
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
