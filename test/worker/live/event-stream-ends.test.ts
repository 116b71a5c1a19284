/** A plain `EventSource` of a session that has ended: it comes back after every end of a stream, until it gets 204. */
import { env, exports } from "cloudflare:workers";
import { EventSource } from "eventsource";
import { describe, expect, it, vi } from "vitest";
import { sessionStub } from "../../../src/live/session-client.ts";
import { ADMIN_KEY, post, put } from "../../support/api.ts";
import { createClient, createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const append = (id: string, role: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content } });

/** Follows a session by a real `EventSource`, which comes back by itself. */
function follow(path: string, token = ADMIN_KEY) {
  const statuses: number[] = [];
  const received: string[] = [];
  const source = new EventSource(`http://parley.test${path}`, {
    fetch: async (url, init) => {
      const headers = { ...init.headers, authorization: `Bearer ${token}` };
      const answer = await exports.default.fetch(new Request(url, { headers }));
      statuses.push(answer.status);
      return answer;
    },
  });
  source.addEventListener("message-appended", ({ data }) => void received.push(JSON.parse(data).content));
  const untilClosed = () =>
    vi.waitFor(() => expect(source.readyState).toBe(EventSource.CLOSED), { timeout: 30_000, interval: 50 });
  return { statuses, received, untilClosed };
}

/** The answer to a reader who comes back, without what it streams. */
async function statusFor(path: string, lastEventId: number | null): Promise<number> {
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    ...(lastEventId === null ? {} : { "last-event-id": String(lastEventId) }),
  };
  const answer = await exports.default.fetch(new Request(`http://parley.test${path}`, { headers }));
  await answer.body?.cancel();
  return answer.status;
}

describe("an EventSource of a session that ends", () => {
  it("comes back once, and stops", async () => {
    const id = await createSession();
    await append(id, "user", "one");
    const { statuses, received, untilClosed } = follow(`/sessions/${id}/events?after=0`);
    await vi.waitFor(() => expect(received).toEqual(["one"]), { timeout: 10_000 });
    await append(id, "user", "two");
    await post(`/sessions/${id}/end`);
    await untilClosed();
    expect(statuses).toEqual([200, 204]);
    expect(received).toEqual(["one", "two"]);
  });

  it("stops though its caller does not see the last message", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    const token = (await post("/keys", { name: "end user", role: "client", clientId })).body.data.key;
    await append(id, "user", "one");
    await append(id, "system", "Be kind.");
    await post(`/sessions/${id}/end`);
    const { statuses, received, untilClosed } = follow(`/sessions/${id}/events?after=0`, token);
    await untilClosed();
    expect(statuses).toEqual([200, 204]);
    expect(received).toEqual(["one"]);
  });
});

describe("a reader who comes back", () => {
  it("gets 204 only at the end of a session that has ended", async () => {
    setVariables({ REPLICATION_WAIT_MS: "2000" });
    const id = await createSession();
    for (const text of ["one", "two"]) await append(id, "user", text);
    const path = `/sessions/${id}/events`;
    expect(await statusFor(path, 2)).toBe(200);
    await post(`/sessions/${id}/end`);
    const statuses = async () => [
      await statusFor(path, 1),
      await statusFor(path, 2),
      await statusFor(path, 3),
      await statusFor(path, null),
      await statusFor(`${path}?after=2`, null),
    ];
    expect(await statuses()).toEqual([200, 204, 204, 200, 200]);
    // The object leaves the session to D1.
    await post(`/sessions/${id}/stop`);
    expect(await statuses()).toEqual([200, 204, 204, 200, 200]);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    expect(await statusFor(path, 2)).toBe(200);
  });

  it("gets 204 in a comparison session too", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    await post(`/v1/sessions/${id}/prompt`, { prompt: "one" });
    const path = `/v1/sessions/${id}/events`;
    expect(await statusFor(path, 2)).toBe(200);
    await sessionStub(env, id).end({ history: "added" });
    expect([await statusFor(path, 1), await statusFor(path, 2)]).toEqual([200, 204]);
  });
});
