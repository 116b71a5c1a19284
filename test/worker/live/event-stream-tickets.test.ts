/** Event streams that a browser opens with a ticket, because its `EventSource` cannot send a token. */
import { EventSource } from "eventsource";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { call, get, post } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import { setVariables } from "../../support/settings.ts";
import { createClient, createComparison, createEndpoint, createSession } from "../../support/create.ts";

const createTicket = async (sessionId: string): Promise<string> =>
  (await post(`/sessions/${sessionId}/tickets`)).body.data.ticket;

const append = (id: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });

describe("a ticket", () => {
  it("opens one event stream of its session, once", async () => {
    const id = await createSession();
    await append(id, "before");
    const ticket = await createTicket(id);
    const other = await createSession();
    expect((await get(`/sessions/${other}/events?ticket=${ticket}`, { token: null })).status).toBe(401);
    const stream = await followEvents(`/sessions/${id}/events?after=0&ticket=${ticket}`, undefined, { token: null });
    expect(await stream.next("message-appended")).toMatchObject({ content: "before" });
    expect((await get(`/sessions/${id}/events?ticket=${ticket}`, { token: null })).status).toBe(401);
    expect((await get(`/sessions/${id}/events?ticket=ticket_00`, { token: null })).status).toBe(401);
    await stream.cut();
  });

  it("opens nothing else", async () => {
    const id = await createSession();
    const ticket = await createTicket(id);
    for (const path of ["", "/messages", "/eventsx", "/tickets/events"])
      expect((await get(`/sessions/${id}${path}?ticket=${ticket}`, { token: null })).status).not.toBe(200);
    await (await followEvents(`/sessions/${id}/events?ticket=${ticket}`, undefined, { token: null })).cut();
  });

  it("that was used does not count as a guess, because browsers show it again by themselves", async () => {
    setVariables({ RATE_LIMITS: "", SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const id = await createSession();
    const headers = { "cf-connecting-ip": crypto.randomUUID() };
    const open = (ticket: string) =>
      followEvents(`/sessions/${id}/events?ticket=${ticket}`, undefined, { token: null, headers });
    const used = await createTicket(id);
    await (await open(used)).cut();
    for (let n = 0; n < 5; n++) await expect(open(used)).rejects.toThrow(/401.*get a new one/);
    await (await open(await createTicket(id))).cut();
  });

  it("opens an event stream of a comparison", async () => {
    const session = await createComparison([await createEndpoint()]);
    const { ticket } = (await post(`/v1/sessions/${session.session_id}/tickets`)).body;
    const path = `/v1/sessions/${session.session_id}/events?ticket=${ticket}`;
    const stream = await followEvents(path, undefined, { token: null });
    await stream.next("session-snapshot");
    await stream.cut();
  });

  it("works for pages of allowed origins and of our own only", async () => {
    const id = await createSession();
    const from = async (origin: string) => {
      const path = `/sessions/${id}/events?ticket=${await createTicket(id)}`;
      const answer = await exports.default.fetch(new Request(`http://parley.test${path}`, { headers: { origin } }));
      await answer.body?.cancel();
      return [answer.status, answer.headers.get("access-control-allow-origin")];
    };
    expect(await from("https://app.example")).toEqual([200, "https://app.example"]);
    expect(await from("http://parley.test")).toEqual([200, null]);
    expect(await from("https://evil.example")).toEqual([403, null]);
  });

  it.each(["events", "ws"])(
    "is used up only by a call that opens something, whatever else refuses it: %s",
    async (way) => {
      const clientId = await createClient();
      const id = await createSession({ clientId });
      const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
      const { ticket } = (await post(`/sessions/${id}/tickets`, undefined, { token })).body.data;
      const upgradeHeader: Record<string, string> = way === "ws" ? { upgrade: "websocket" } : {};
      const open = async (query = "", headers: Record<string, string> = {}) => {
        const url = `http://parley.test/sessions/${id}/${way}?ticket=${ticket}${query}`;
        const answer = await exports.default.fetch(new Request(url, { headers: { ...upgradeHeader, ...headers } }));
        answer.webSocket?.accept();
        await answer.body?.cancel();
        return answer.status;
      };
      expect(await open("&after=x")).toBe(400);
      expect(await open("&afer=1")).toBe(400);
      expect(await open("", { origin: "https://evil.example" })).toBe(403);
      if (way === "events")
        expect((await call("HEAD", `/sessions/${id}/events?ticket=${ticket}`, undefined, { token: null })).status).toBe(
          200,
        );
      if (way === "ws") expect(await open("", { upgrade: "other" })).toBe(426);
      setVariables({ RATE_LIMITS: "", CLIENT_LIMIT: { limit: async () => ({ success: false }) } });
      expect(await open()).toBe(429);
      setVariables({ RATE_LIMITS: "off" });
      // The object refuses this one: its caller has as many as it may have.
      const others = await openAsManyAsOneMay(id, token, way);
      expect(await open()).toBe(429);
      for (const close of others) await close();
      await vi.waitFor(async () => expect(await open()).toBe(way === "ws" ? 101 : 200));
      expect(await open()).toBe(401);
    },
  );

  it("is not used up by what the dialect refuses", async () => {
    const session = await createComparison([await createEndpoint()]);
    const { ticket } = (await post(`/v1/sessions/${session.session_id}/tickets`)).body;
    const path = `/v1/sessions/${session.session_id}/events?ticket=${ticket}`;
    setVariables({ TIME_ZONE: "Nowhere" });
    expect((await get(path, { token: null })).status).toBe(503);
    setVariables({ TIME_ZONE: "UTC" });
    await (await followEvents(path, undefined, { token: null })).cut();
  });
});

/** As many as one caller may have of one session. @returns functions that close them */
async function openAsManyAsOneMay(id: string, token: string, way: string): Promise<(() => Promise<void>)[]> {
  return Promise.all(
    Array.from({ length: 20 }, async () => {
      if (way === "events") {
        const stream = await followEvents(`/sessions/${id}/events`, undefined, { token });
        return () => stream.cut();
      }
      const { socket } = await connect(`/sessions/${id}/ws`, { token });
      return async () => socket.close();
    }),
  );
}

it("a browser's EventSource gets the events, and stops when it reconnects with the ticket that it has used", async () => {
  const id = await createSession();
  await append(id, "one");
  const statuses: number[] = [];
  let cut = () => {};
  const source = new EventSource(`http://parley.test/sessions/${id}/events?after=0&ticket=${await createTicket(id)}`, {
    fetch: async (url, init) => {
      const answer = await exports.default.fetch(new Request(url, { headers: init.headers }));
      statuses.push(answer.status);
      const reader = answer.body?.getReader();
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const chunk = await reader?.read();
          if (chunk?.value) controller.enqueue(chunk.value);
          else controller.close();
        },
      });
      cut = () => void reader?.cancel();
      return new Response(body, answer);
    },
  });
  const received: string[] = [];
  let lastEventId = "";
  source.addEventListener("message-appended", (event) => {
    received.push(JSON.parse(event.data).content);
    ({ lastEventId } = event);
  });
  const until = async (holds: () => boolean) => {
    for (let waited = 0; !holds() && waited < 20_000; waited += 20) await scheduler.wait(20);
  };
  await until(() => received.length === 1);
  cut();
  await until(() => source.readyState === EventSource.CLOSED);
  expect(source.readyState).toBe(EventSource.CLOSED);
  expect(statuses).toEqual([200, 401]);

  await append(id, "two");
  const path = `/sessions/${id}/events?after=${lastEventId}&ticket=${await createTicket(id)}`;
  const again = await followEvents(path, undefined, { token: null });
  expect(await again.next("message-appended")).toMatchObject({ content: "two" });
  await again.cut();
});
