/** What passes between the object and the Worker at once, and what goes to D1 at once: no more than a page. */
import { describe, expect, it } from "vitest";
import { success } from "../../../src/core/failure.ts";
import type { Message, NewMessage } from "../../../src/core/message.ts";
import { Log } from "../../../src/live/log/log.ts";
import { makeResult } from "../../../src/live/make-result.ts";
import { passBatch, passResult, takePassed } from "../../../src/live/passed-messages.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import { makeReceipt, makeReplyDetail } from "../../support/replies.ts";
import { aChatSession, aWorld, memoryStorage } from "../../support/session-world.ts";

const LONG = "x".repeat(100_000);

const prompt = (content: string): NewMessage => ({
  chatId: null,
  turnId: "turn",
  turnNumber: null,
  role: "user",
  content,
  createdAt: 1,
  reply: null,
});
const reply = (content: string): NewMessage => ({
  ...prompt(content),
  chatId: "chat",
  role: "assistant",
  reply: makeReplyDetail(),
});

/** A log with messages that have been appended. */
function aLog(kind: "chatbot" | "comparison", messages: NewMessage[]) {
  const log = new Log(memoryStorage());
  log.beginLoad();
  const context = { of: "chat", chat: { chatbot: null, endpoint: null, client: null } } as const;
  log.finishLoad(aChatSession({ kind }), 0, context);
  return { log, added: log.append(messages, 1) };
}

/** As a Worker of the last release gets it. */
const wholeLog = (log: Log) => passResult(success(makeResult(log, [], "whole")));

describe("the result of a command", () => {
  it("has all messages when they are few", () => {
    const { log, added } = aLog("comparison", [prompt("a"), reply("b")]);
    expect(wholeLog(log)).toMatchObject({ value: { messages: added, after: 0, upTo: 2, isTruncated: false } });
    expect(makeResult(log, added, "added")).toMatchObject({ messages: added, upTo: 0 });
  });

  it("says where they are when they are more than one page", () => {
    const { log, added } = aLog("comparison", [prompt("a"), reply("b"), prompt(LONG), reply(LONG), reply(LONG)]);
    expect(wholeLog(log)).toMatchObject({ value: { messages: [], after: 0, upTo: 5, isTruncated: false } });
    const turn = makeResult(log, added.slice(2), "added");
    expect(turn).toMatchObject({ messages: [], after: 2, upTo: 5 });
    expect(turn.isTruncated).toBeUndefined();
  });

  it.each(["a", ',"receipt":{', "\0,"])(
    "has the receipts of records only for a caller who wants them: prompt %j",
    (text) => {
      const detail = { ...makeReplyDetail({ preparedPrompt: text }), receipt: makeReceipt({ body: text }) };
      const failed = makeReplyDetail({ preparedPrompt: text, receipt: null });
      const replies = [detail, failed, makeReplyDetail()].map((written) => ({ ...reply("b"), reply: written }));
      const { log } = aLog("comparison", [prompt("a"), ...replies]);
      const details = (withReceipts: boolean) => {
        const shown = passResult(success(makeResult(log, [], "whole", { withReceipts })));
        return shown.ok ? shown.value.messages.map((message) => message.reply) : [];
      };
      const { receipt: _, ...withoutReceipt } = detail;
      expect(details(true)).toEqual([null, detail, failed, makeReplyDetail()]);
      expect(details(false)).toEqual([null, withoutReceipt, failed, makeReplyDetail()]);
    },
  );

  it("passes in columns for a Worker that takes them, and comes out the same", () => {
    const { log, added } = aLog("comparison", [prompt("a"), { ...reply("b"), chatId: "other" }, reply("c")]);
    const passed = passResult(success(makeResult(log, [], "whole")), true);
    const { columns, ...rest } = passed.ok ? passed.value : ({} as never);
    expect([columns?.contents, rest.messages]).toEqual([["a", "b", "c"], []]);
    expect(takePassed(structuredClone(passed))).toEqual(success({ ...rest, messages: added }));
    const page = passBatch(success(log.messages(0, 2)), true);
    expect(page).toMatchObject({ value: { items: [], hasMore: true } });
    expect(takePassed(page)).toEqual(success({ items: added.slice(0, 2), hasMore: true }));
  });

  it("has a chatbot's reply, however long it is", () => {
    const { log, added } = aLog("chatbot", [prompt(LONG), reply(LONG.repeat(4))]);
    expect(makeResult(log, added, "added").messages).toEqual(added);
  });
});

describe("a batch for D1", () => {
  it("has no more than a page, and none is skipped", () => {
    const { log } = aLog(
      "chatbot",
      [1, 2, 3].map(() => prompt(LONG)),
    );
    const sent: number[] = [];
    for (let batch = log.unreplicated(50); batch.length > 0; batch = log.unreplicated(50)) {
      expect(batch.length).toBeLessThanOrEqual(2);
      sent.push(...batch.map(({ seq }) => seq));
      log.setReplicated({ lastSeq: batch.at(-1)?.seq ?? 0, metadataVersion: 0 });
      if (sent.length === 3) log.append([prompt(LONG), prompt("short")], 2);
    }
    expect(sent).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a session that is loaded", () => {
  it("is read from D1 page by page", async () => {
    const world = aWorld(aChatSession({ lastSeq: 5, messageCount: 5 }));
    const asked: number[] = [];
    world.records.readMessages = async (_, after) => {
      asked.push(after);
      return [1, 2]
        .map((step): Message => ({ ...prompt(`${after + step}`), seq: after + step }))
        .filter(({ seq }) => seq <= 5);
    };
    const room = new SessionRoom(world);
    await room.append({ role: "user", content: "6", createdAt: null }, null);
    expect(asked).toEqual([0, 2, 4]);
    const page = room.page(0, 10, "all");
    expect(page.ok && page.value?.items.map(({ content }) => content)).toEqual(["1", "2", "3", "4", "5", "6"]);
  });
});
