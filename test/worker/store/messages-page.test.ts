/** Pages of a log in D1: what they hold, and how many rows D1 reads for them. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Message } from "../../../src/core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../../../src/core/page.ts";
import { database } from "../../../src/store/database.ts";
import { messagesPage } from "../../../src/store/messages.ts";
import type { PageQuery } from "../../../src/store/messages.ts";
import { createSession } from "../../support/create.ts";
import { fillLog, writeLog } from "../../support/long-log.ts";

async function createLog(messages: number, content: string): Promise<string> {
  const id = await createSession();
  await fillLog(id, 1, messages, "?4", content);
  return id;
}

/** Reads a page, and counts the rows that D1 reads for it. */
async function readCounted(id: string, query: PageQuery) {
  const prepare = vi.spyOn(env.DB, "prepare");
  const page = await messagesPage(database(env.DB), id, query);
  expect(prepare).toHaveBeenCalledTimes(1);
  const sql = prepare.mock.calls[0]?.[0] ?? "";
  prepare.mockRestore();
  const values = [id, query.after, Math.min(query.limit, 1_000), MAX_BATCH_CHARACTERS];
  const { meta } = await env.DB.prepare(sql)
    .bind(...values)
    .all();
  return { ...page, rowsRead: meta.rows_read };
}

describe("a page of a log in D1", () => {
  it.each([0, 200, 397])("of long messages reads a few rows, however many follow (after %i)", async (after) => {
    const id = await createLog(400, "x".repeat(100_000));
    const { items, hasMore, rowsRead } = await readCounted(id, { after, limit: 1_000 });
    expect(items.map(({ seq }) => seq)).toEqual([after + 1, after + 2]);
    expect(hasMore).toBe(true);
    expect(rowsRead).toBeLessThan(20);
  });

  it("of short messages has as many as it may, for less than five rows read each", async () => {
    const id = await createLog(3_000, "hello there");
    const { items, hasMore, rowsRead } = await readCounted(id, { after: 1_500, limit: 5_000 });
    expect(items).toHaveLength(1_000);
    expect(hasMore).toBe(true);
    expect(rowsRead).toBeLessThan(5_000);
  });

  it.each([
    [20, 20, false],
    [19, 19, true],
    [1, 1, true],
    [1_000, 20, false],
  ])("of 20 short messages with limit %i has %i, and says whether there are more", async (limit, count, more) => {
    const id = await createLog(20, "hello there");
    const { items, hasMore, rowsRead } = await readCounted(id, { after: 0, limit });
    expect(items).toHaveLength(count);
    expect(hasMore).toBe(more);
    expect(rowsRead).toBeLessThan(6 * 20);
  });

  it("has at least one message, even one that is larger than a page", async () => {
    const id = await createLog(2, "x".repeat(MAX_BATCH_CHARACTERS + 1));
    const { items, hasMore } = await readCounted(id, { after: 0, limit: 1_000 });
    expect(items.map(({ seq }) => seq)).toEqual([1]);
    expect(hasMore).toBe(true);
    expect((await readCounted(id, { after: 1, limit: 1_000 })).hasMore).toBe(false);
    expect(await readCounted(id, { after: 2, limit: 1_000 })).toMatchObject({ items: [], hasMore: false });
  });
});

describe("the pages of a log with messages of all sizes", () => {
  const SIZES = [1, 90_000, 3_000, 400_000, 10, 0, 50_000, 700, 140_000];
  const turns = Array.from({ length: 120 }, (_, n) => ({
    prompt: "p".repeat(SIZES[n % 9] || 1),
    replies: ["a", "b"].map((chatId, nth) => ({ chatId, content: "r".repeat(SIZES[(n + nth) % 9] ?? 0) })),
  }));

  it.each<[string, Partial<PageQuery>, (message: Message) => boolean]>([
    ["all", {}, () => true],
    ["those with text", { which: "shown" }, ({ content }) => content !== ""],
    ["those of a chat", { chatId: "b" }, ({ chatId }) => chatId === null || chatId === "b"],
  ])("have %s once, in order, and fit", async (_, filter, isWanted) => {
    const id = await createSession();
    await writeLog(id, turns);
    const everything: Message[] = [];
    const read: Message[] = [];
    for (let after = 0; after < 360; after++)
      everything.push(...(await messagesPage(database(env.DB), id, { after, limit: 1 })).items);
    for (let more = true; more;) {
      const after = read.at(-1)?.seq ?? 0;
      const { items, hasMore } = await messagesPage(database(env.DB), id, { after, limit: 50, ...filter });
      const characters = items.reduce(
        (sum, { content, reply }) => sum + content.length + (reply?.preparedPrompt.length ?? 0),
        0,
      );
      expect(items.length === 1 || characters <= MAX_BATCH_CHARACTERS).toBe(true);
      expect(items.length).toBeGreaterThan(0);
      read.push(...items);
      more = hasMore;
    }
    expect(everything).toHaveLength(360);
    expect(read.map(({ seq }) => seq)).toEqual(everything.filter(isWanted).map(({ seq }) => seq));
  });
});
