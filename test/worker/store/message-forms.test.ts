/** What D1 reads of a long log: pages without the texts that nobody needs, and where an answer's window begins. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Message, MessageForm } from "../../../src/core/message.ts";
import { windowStart } from "../../../src/core/shown-window.ts";
import type { MessageSize, ShownAs } from "../../../src/core/shown-window.ts";
import { database } from "../../../src/store/database.ts";
import { messagesPage, readWindowStart } from "../../../src/store/messages.ts";
import { createSession } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";
import type { LoggedReply, LoggedTurn } from "../../support/long-log.ts";
import { makeReceipt, makeReplyDetail } from "../../support/replies.ts";

async function createLog(turns: LoggedTurn[]): Promise<string> {
  const id = await createSession();
  await writeLog(id, turns);
  return id;
}

const LONG = "x".repeat(200_000);
const receipt = makeReceipt({ body: LONG });
const longReply = { preparedPrompt: LONG, requestFields: LONG, receipt };
const shortReply = makeReplyDetail({
  preparedPrompt: "",
  requestFields: "",
  receipt: { ...receipt, body: null, params: "", attempts: [] },
});
const turns = Array.from({ length: 40 }, () => ({
  prompt: "why?",
  replies: [{ chatId: "a", content: "because", reply: longReply }],
}));

describe("a page of a log in D1", () => {
  it.each<[MessageForm, Partial<Message>[]]>([
    [
      "short",
      [
        { content: "why?", reply: null },
        { content: "because", reply: shortReply },
      ],
    ],
    ["counts", [{ content: "", reply: shortReply }]],
  ])("of %s messages has no long texts, and reads 1 MB of them at most", async (form, expected) => {
    const id = await createLog(turns);
    const { items, hasMore } = await messagesPage(database(env.DB), id, { after: 0, limit: 1_000, form });
    expect(items.slice(0, expected.length)).toMatchObject(expected);
    expect(items.filter(({ reply }) => reply).length).toBeGreaterThan(0);
    expect(items.filter(({ reply }) => reply).length).toBeLessThanOrEqual(3);
    expect(hasMore).toBe(true);
    expect(JSON.stringify(items)).not.toContain("xx");
  });

  it("of messages with text is short too", async () => {
    const id = await createLog(turns.slice(0, 1));
    const { items } = await messagesPage(database(env.DB), id, { after: 0, limit: 1_000, which: "shown" });
    expect(items).toMatchObject([{ content: "why?" }, { content: "because", reply: shortReply }]);
  });
});

/** The characters of a text as SQLite counts them: code points, as far as the first NUL. */
const count = (content: string): number =>
  Math.max(
    Array.from(content.split("\0", 1)[0] ?? "").length,
    Math.floor(new TextEncoder().encode(content).byteLength / 3),
  );

/** Of a message, newest first. */
function sizesOf(log: LoggedTurn[], shownAs: ShownAs): MessageSize[] {
  let seq = 0;
  const charactersOf = ({ content, reply }: LoggedReply) => {
    if (shownAs === "messages") return count(content);
    const detail = JSON.stringify(makeReplyDetail(reply));
    const shown = shownAs === "receipts" ? count(detail) : count(detail.split('"receipt":{', 1)[0] ?? "") + 1;
    return count(content) + shown;
  };
  return log
    .flatMap(({ prompt, replies }, turn) => [
      { seq: (seq += 1), turnId: `turn-${turn}`, isReply: false, characters: count(prompt) },
      ...replies.map((reply) => ({
        seq: (seq += 1),
        turnId: `turn-${turn}`,
        isReply: true,
        characters: charactersOf(reply),
      })),
    ])
    .toReversed();
}

describe("the window of an answer about a log in D1", () => {
  it.each([
    ["one byte", ["x"]],
    ["three bytes", ["語"]],
    ["one to four bytes, or are NUL", ["x", "é", "😀", "\0x", "語"]],
  ])("begins where its characters say, when they take %s", async (_, units) => {
    const unitOf = (n: number) => (units[n % units.length] ?? "").repeat(n % 7 === 0 ? 1 : 50_000);
    const log = Array.from({ length: 60 }, (_turn, n) => ({
      prompt: unitOf(n),
      replies: [unitOf(n + 1), unitOf(n + 3)].map((content, chat) => ({
        chatId: `chat-${chat}`,
        content,
        reply: { preparedPrompt: unitOf(n), receipt: makeReceipt({ body: unitOf(n + 2) }) },
      })),
    }));
    const id = await createLog(log);
    for (const shownAs of ["messages", "records", "receipts"] as const) {
      const expected = windowStart(sizesOf(log, shownAs), shownAs);
      expect(expected).toBeGreaterThan(0);
      expect(await readWindowStart(database(env.DB), id, 180, shownAs)).toBe(expected);
    }
  });

  it("is found without reading a text, if all of them may be shown", async () => {
    const prepared: string[] = [];
    const db = { $client: { prepare: (sql: string) => (prepared.push(sql), env.DB.prepare(sql)) } };
    const id = await createLog(turns.slice(0, 5));
    expect(await readWindowStart(db as unknown as ReturnType<typeof database>, id, 10, "messages")).toBe(0);
    expect(prepared).toHaveLength(1);
    expect(prepared[0]?.replaceAll("octet_length", "")).not.toContain("length(");
  });
});
