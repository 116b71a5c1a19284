/** Reading a whole log: page by page, all of it, and beside other work. */
import { expect, it } from "vitest";
import type { Message } from "../../../src/core/message.ts";
import { messagesOf } from "../../../src/live/read-session.ts";
import { aChatSession } from "../../support/session-world.ts";

const PAGES = 200;

const messageAt = (seq: number): Message => ({
  seq,
  chatId: null,
  turnId: null,
  turnNumber: null,
  role: "user",
  content: `${seq}`,
  createdAt: 0,
  reply: null,
});

it("lets other work run after each page, however fast pages come", async () => {
  let pages = 0;
  const page = async (after: number) => {
    pages += 1;
    return { items: [messageAt(after + 1)], hasMore: after + 1 < PAGES };
  };
  let turns = 0;
  const otherWork = (async () => {
    for (; pages < PAGES; turns += 1) await scheduler.wait(0);
  })();
  const seqs: number[] = [];
  for await (const { seq } of messagesOf({ session: aChatSession(), after: 0, upTo: PAGES, page })) seqs.push(seq);
  await otherWork;
  expect(seqs).toEqual(Array.from({ length: PAGES }, (_, n) => n + 1));
  expect(turns).toBeGreaterThan(PAGES / 2);
});
