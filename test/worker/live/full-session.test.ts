/** A session with as many followers as it may have: who is refused, and who is not. */
import { expect, it, vi } from "vitest";
import { get, post } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import type { EventStreamReader, SocketClient } from "../../support/follow.ts";
import { setVariables } from "../../support/settings.ts";
import { createChatbot, createEndpoint, createSession } from "../../support/create.ts";

const MAX_FOLLOWERS = 1_000;

/** The most event streams of one caller. */
const MAX_STREAMS_OF_CALLER = 20;

const createKey = async (): Promise<string> => (await post("/keys", { name: "k", role: "service" })).body.data.key;

it("refuses who joins a running turn, and accepts whoever starts one", async () => {
  const endpointId = await createEndpoint({ params: { tokens_per_second: 2 } });
  const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
  const chat = (key: string) =>
    followEvents(
      `/sessions/chat?sessionId=${id}`,
      { content: Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ") },
      { headers: { "idempotency-key": key } },
    );
  const first = await chat("one");
  const joined = await chat("one");
  expect(joined.headers.get("idempotency-replayed")).toBe("true");
  const followers: EventStreamReader[] = [];
  for (let token = ""; followers.length < MAX_FOLLOWERS - 2;) {
    if (followers.length % MAX_STREAMS_OF_CALLER === 0) token = await createKey();
    followers.push(await followEvents(`/sessions/${id}/events`, undefined, { token }));
  }
  await expect(chat("one")).rejects.toThrow(/429.*too_many_followers/);
  await expect(followEvents(`/sessions/${id}/events`)).rejects.toThrow(/429.*too_many_followers/);
  const second = chat("two");
  second.catch(() => undefined);
  await joined.cut();
  await followers.pop()?.cut();
  const again = await vi.waitUntil(() => chat("one").catch(() => null), { timeout: 10_000 });
  expect((await again.next("reply-delta"))["offset"]).toBe(0);
  await post(`/sessions/${id}/end`);
  await first.next("turn-ended");
  await expect(second).rejects.toThrow("404");
  expect((await get(`/sessions/${id}`)).body.data.messages).toHaveLength(2);
  for (const follower of followers) await follower.cut();
});

it("accepts 20 event streams of a caller, whoever else follows, and its own chats beside them", async () => {
  const id = await createSession();
  const [token, other] = [await createKey(), await createKey()];
  const follow = (as: string) => followEvents(`/sessions/${id}/events`, undefined, { token: as });
  const opening = Array.from({ length: MAX_STREAMS_OF_CALLER + 5 }, () => follow(token).catch(String));
  const opened = (await Promise.all(opening)).filter((stream) => typeof stream !== "string");
  expect(opened).toHaveLength(MAX_STREAMS_OF_CALLER);
  await expect(follow(token)).rejects.toThrow(/429.*too_many_followers/);
  const stream = await follow(other);
  const chat = () =>
    followEvents(`/sessions/chat?sessionId=${id}`, { content: "hi" }, { token, headers: { "idempotency-key": "k" } });
  await (await chat()).next("turn-ended");
  await (await chat()).next("turn-ended");
  const socket = await connect(`/sessions/${id}/ws`, { token });
  await opened[0]?.cut();
  opened.push(await vi.waitUntil(() => follow(token).catch(() => null), { timeout: 10_000 }));
  socket.socket.close();
  for (const each of [...opened, stream]) await each.cut();
});

it("counts all callers without a token as one, over sockets too", async () => {
  setVariables({ ANONYMOUS_ROLE: "service" });
  const id = await createSession();
  const streams: EventStreamReader[] = [];
  const sockets: SocketClient[] = [];
  for (let n = 0; n < MAX_STREAMS_OF_CALLER; n++) {
    streams.push(await followEvents(`/sessions/${id}/events`, undefined, { token: null }));
    sockets.push(await connect(`/sessions/${id}/ws`, { token: null }));
  }
  await expect(followEvents(`/sessions/${id}/events`, undefined, { token: null })).rejects.toThrow("429");
  await expect(connect(`/sessions/${id}/ws`, { token: null })).rejects.toThrow("429");
  for (const { socket } of sockets) socket.close();
  for (const stream of streams) await stream.cut();
});
