/** Many sockets on one session, and what they leave to others. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ANONYMOUS } from "../../../src/core/caller.ts";
import type { Replay } from "../../../src/live/streaming/event-stream.ts";
import { Sockets } from "../../../src/live/streaming/sockets.ts";
import { get, post } from "../../support/api.ts";
import { connect } from "../../support/follow.ts";
import { createSession } from "../../support/create.ts";

describe("200 sockets on one session", () => {
  it("all receive the same events in the same order", async () => {
    const id = await createSession();
    const tokens: string[] = [];
    for (let n = 0; n < 10; n++)
      tokens.push((await post("/keys", { name: `follower ${n}`, role: "service" })).body.data.key);
    // At most 20 of each caller.
    const connectAs = (token: string) => Array.from({ length: 20 }, () => connect(`/sessions/${id}/ws`, { token }));
    const clients = await Promise.all(tokens.flatMap(connectAs));
    for (const [n, client] of clients.entries())
      if (n % 10 === 0) client.send({ type: "message-append", id: `a${n}`, role: "user", content: `m${n}` });
    clients[7]?.send({ type: "prompt-submit", id: "p", content: "all of you" });
    const seen = await Promise.all(
      clients.map(async (client) => {
        await client.next("turn-ended");
        await client.next("message-appended", 22);
        return client.events.filter(({ type }) => type !== "ack").map((event) => JSON.stringify(event));
      }),
    );
    for (const { socket } of clients) socket.close();
    for (const events of seen) expect(events.slice(1)).toEqual(seen[0]?.slice(1));
    const { messages } = (await get(`/sessions/${id}`)).body.data;
    expect(messages).toHaveLength(22);
    expect(messages.map(({ content }: { content: string }) => content)).toEqual(
      seen[0]
        ?.map((event) => JSON.parse(event))
        .flatMap(({ type, content }) => (type === "message-appended" ? [content] : [])),
    );
  });
});

it("a socket that gets earlier events lets other work run after each megabyte", async () => {
  const stub = env.SESSIONS.getByName(crypto.randomUUID());
  const content = "x".repeat(100_000);
  const message = { type: "message-appended", seq: 1, chatId: null, role: "user", content, timestamp: "" } as const;
  const otherWork = await runInDurableObject(stub, async (_, ctx) => {
    const sockets = new Sockets(ctx, () => ({}));
    const { client, socket } = sockets.accept(ANONYMOUS);
    client.accept();
    let pages = 0;
    const past = function* (): Replay {
      for (; pages < 40; pages += 1) yield [message];
      return [];
    };
    const caughtUp = sockets.catchUp(socket, past());
    let turns = 0;
    for (; pages < 40; turns += 1) await scheduler.wait(0);
    await caughtUp;
    client.close();
    return turns;
  });
  // One of them comes before the first page.
  expect(otherWork).toBeGreaterThanOrEqual(4);
});
