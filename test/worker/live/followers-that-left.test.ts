/**
 * A reader whose connection ends is no longer a subscriber. The request's signal alone must report it here: heartbeats and probes
 * are switched off.
 */

import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Subscribers } from "../../../src/live/streaming/subscribers.ts";
import { EventStream } from "../../../src/live/streaming/event-stream.ts";
import { ADMIN_KEY, get, post } from "../../support/api.ts";
import { createChatbot, createComparison, createSession, createEndpoint } from "../../support/create.ts";

/** How long it may take until a place is free. */
const FREE_MS = 2_000;

beforeEach(() => {
  vi.spyOn(EventStream.prototype, "sendHeartbeat").mockReturnValue();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Watches the subscribers of the next session whose stream is opened. */
function watchSubscribers() {
  const opened = vi.spyOn(Subscribers.prototype, "openStream");
  const subscribers = () => opened.mock.contexts[0] as Subscribers | undefined;
  return {
    opened: () => vi.waitUntil(subscribers, { timeout: 40_000 }),
    left: () => vi.waitUntil(() => subscribers()?.hasSubscribers === false, { timeout: FREE_MS }),
  };
}

/** Requests events over a connection that the test can cut. */
function call(path: string, body?: object) {
  const connection = new AbortController();
  const answer = exports.default.fetch(
    new Request(`http://parley.test${path}`, {
      method: body ? "POST" : "GET",
      headers: {
        accept: "text/event-stream",
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body ? { "content-type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: connection.signal,
    }),
  );
  // A cut connection gets no answer, or a part of it.
  answer.catch(() => undefined);
  return { answer, cut: () => connection.abort() };
}

const createSlowChatbot = async () =>
  createChatbot({ endpointId: await createEndpoint({ params: { tokens_per_second: 20 } }) });

it("unsubscribes when its connection ends after the first event", async () => {
  const subscribers = watchSubscribers();
  const { answer, cut } = call(`/sessions/${await createSession()}/events`);
  const reader = (await answer).body?.getReader();
  await reader?.read();
  cut();
  await subscribers.left();
});

it("unsubscribes when its body is cancelled", async () => {
  const subscribers = watchSubscribers();
  const { answer } = call(`/v1/sessions/${(await createComparison([await createEndpoint()])).session_id}/events`);
  await (await answer).body?.cancel();
  await subscribers.left();
});

it("unsubscribes when its connection ends before the answer", async () => {
  const subscribers = watchSubscribers();
  const { cut } = call(`/sessions/${await createSession()}/events`);
  await subscribers.opened();
  cut();
  await subscribers.left();
});

it("unsubscribes in the middle of the replay", async () => {
  const id = await createSession();
  const content = "x".repeat(100_000);
  for (let n = 0; n < 60; n++) await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });
  const subscribers = watchSubscribers();
  const { answer, cut } = call(`/sessions/${id}/events?after=0`);
  const reader = (await answer).body?.getReader();
  await reader?.read();
  cut();
  await subscribers.left();
});

it("unsubscribes from a turn's own stream, and the turn continues", async () => {
  const id = await createSession({ chatbotId: await createSlowChatbot() });
  const subscribers = watchSubscribers();
  const content = words(60);
  const { answer, cut } = call(`/sessions/chat?sessionId=${id}`, { content });
  const reader = (await answer).body?.getReader();
  await reader?.read();
  cut();
  await subscribers.left();
  expect(await messagesOf(id)).toEqual([content]);
  await vi.waitUntil(async () => (await messagesOf(id)).length === 2, { timeout: 40_000, interval: 200 });
  expect(await messagesOf(id)).toEqual([content, content]);
});

it("unsubscribes from a waiting turn, and the turn runs when its time comes", async () => {
  const id = await createSession({ chatbotId: await createSlowChatbot() });
  const first = post(`/sessions/chat?sessionId=${id}`, { content: words(60) });
  await vi.waitUntil(async () => (await messagesOf(id)).length === 1, { timeout: 40_000 });
  const subscribers = watchSubscribers();
  const { cut } = call(`/sessions/chat?sessionId=${id}`, { content: "second" });
  await subscribers.opened();
  cut();
  await subscribers.left();
  await first;
  await vi.waitUntil(async () => (await messagesOf(id)).length === 4, { timeout: 40_000, interval: 200 });
  expect((await messagesOf(id)).slice(2)).toEqual(["second", "second"]);
});

const words = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`).join(" ");

const messagesOf = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}`)).body.data.messages.map(({ content }: { content: string }) => content);
