/** Messages in D1 are kept under the number of their session: none may ever come into the log of another session. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { MAX_LOG_MESSAGES } from "../../../src/core/message.ts";
import { database } from "../../../src/store/database.ts";
import { MAX_SEQ } from "../../../src/store/message-keys.ts";
import { messagesPage, readWindowStart } from "../../../src/store/messages.ts";
import { deleteSession } from "../../../src/store/sessions.ts";
import { del, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";
import { replicatedContents, replicatedMessages } from "../../support/faults.ts";
import { fillLog } from "../../support/long-log.ts";

const db = database(env.DB);

const numberOfSession = (id: string) =>
  env.DB.prepare("SELECT number FROM sessions WHERE id = ?").bind(id).first<number>("number");

/** The most messages that a turn can add to a log that is almost full: a prompt, and a reply of each endpoint. */
const MAX_TURN_MESSAGES = 65;

describe("the keys of messages", () => {
  it("have room for every message of a log", () => {
    expect(MAX_LOG_MESSAGES + MAX_TURN_MESSAGES).toBeLessThan(MAX_SEQ);
  });

  it("are never given again after the newest session was deleted", async () => {
    const first = await createSession();
    const number = await numberOfSession(first);
    await post(`/sessions/message?sessionId=${first}`, { message: { role: "user", content: "of the first" } });
    expect(await replicatedContents(first)).toEqual(["of the first"]);
    await del(`/sessions/${first}`);
    const second = await createSession();
    expect(await numberOfSession(second)).toBeGreaterThan(number ?? Infinity);
    expect(await replicatedContents(second)).toEqual([]);
  });

  it("hold each log apart from its neighbours, from the first to the last possible message", async () => {
    const clientId = await createClient();
    const chatbotId = await createChatbot();
    const ids = await Promise.all([1, 2, 3].map(() => createSession({ clientId, chatbotId })));
    const inOrder = (
      await Promise.all(ids.map(async (id) => ({ id, number: (await numberOfSession(id)) ?? 0 })))
    ).toSorted((one, other) => one.number - other.number);
    for (const { id, number } of inOrder)
      for (const [from, to] of [
        [1, 2],
        [MAX_SEQ - 1, MAX_SEQ],
      ] as const)
        await fillLog(id, from, to, "?4 || '-' || i", String(number));
    const expected = (number: number) => [1, 2, MAX_SEQ - 1, MAX_SEQ].map((seq) => `${number}-${seq}`);
    for (const { id, number } of inOrder) {
      const { items, hasMore } = await messagesPage(db, id, { after: 0, limit: 1_000 });
      expect([items.map(({ content }) => content), hasMore]).toEqual([expected(number), false]);
      expect(items.map(({ seq }) => seq)).toEqual([1, 2, MAX_SEQ - 1, MAX_SEQ]);
      expect(await readWindowStart(db, id, MAX_SEQ, "messages")).toBe(0);
    }
    const { results } = (await get(`/sessions?clientId=${clientId}`)).body.data;
    const listed = results.map(({ messages }: { messages: { content: string }[] }) =>
      messages.map(({ content }) => content),
    );
    expect(new Set(listed)).toEqual(new Set(inOrder.map(({ number }) => expected(number).slice(2))));

    const [first, middle, last] = inOrder;
    await deleteSession(db, middle?.id ?? "");
    for (const { id, number } of [first, last].flatMap((kept) => kept ?? []))
      expect((await replicatedMessages(id)).map(({ content }) => content)).toEqual(expected(number));
    expect(await messagesPage(db, middle?.id ?? "", { after: 0, limit: 10 })).toMatchObject({
      items: [],
      hasMore: false,
    });
  });

  it.each([MAX_SEQ, MAX_SEQ + 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Infinity])(
    "do not reach into the next log when a page begins after %i",
    async (after) => {
      // One with an even number and one with an odd number: the lowest bits of the number come after those of the `seq`.
      const ids = [await createSession(), await createSession()];
      for (const id of ids) await fillLog(id, 1, 2, "'text'");
      for (const id of ids)
        expect(await messagesPage(db, id, { after, limit: 10 })).toMatchObject({ items: [], hasMore: false });
    },
  );
});
