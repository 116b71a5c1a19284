/** A session with as many followers as it may have: who is refused, and who is not. */
import { expect, it, vi } from "vitest";
import { get, post } from "../../support/api.ts";
import { followEvents } from "../../support/follow.ts";
import type { EventStreamReader } from "../../support/follow.ts";
import { createChatbot, createEndpoint, createSession } from "../../support/create.ts";

const MAX_FOLLOWERS = 1_000;

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
  while (followers.length < MAX_FOLLOWERS - 2) followers.push(await followEvents(`/sessions/${id}/events`));
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
