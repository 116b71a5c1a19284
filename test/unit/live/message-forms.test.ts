/** Pages of an object's log without the long texts that their reader does not need. */
import { describe, expect, it } from "vitest";
import type { Message, MessageForm } from "../../../src/core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../../../src/core/page.ts";
import { Log } from "../../../src/live/log/log.ts";
import { makeReceipt, makeReplyDetail } from "../../support/replies.ts";
import { aChatSession, memoryStorage } from "../../support/session-world.ts";

const LONG = "x".repeat(200_000);
const receipt = makeReceipt({ body: LONG });
const reply = makeReplyDetail({ preparedPrompt: LONG, receipt });
const shortReply = { ...reply, preparedPrompt: "", receipt: { ...receipt, body: null, params: "", attempts: [] } };

/** A log of prompts and replies: the first of each turn is a prompt. */
function logOf(turns: number): Log {
  const log = new Log(memoryStorage());
  const common = { chatId: "chat", turnNumber: null, createdAt: 1 };
  const messages = Array.from({ length: turns }, (_, n): Message[] => [
    { ...common, turnId: `${n}`, seq: 2 * n + 1, role: "user", content: "why?", reply: null },
    { ...common, turnId: `${n}`, seq: 2 * n + 2, role: "assistant", content: "because", reply },
  ]).flat();
  log.beginLoad();
  const bytes = log.loadMessages(messages, 1);
  const context = { of: "chat", chat: { chatbot: null, endpoint: null, client: null } } as const;
  log.finishLoad(aChatSession({ lastSeq: messages.length }), bytes, context);
  return log;
}

describe("a page of an object's log", () => {
  it.each<[MessageForm, Partial<Message>[]]>([
    [
      "whole",
      [
        { content: "why?", reply: null },
        { content: "because", reply },
      ],
    ],
    [
      "short",
      [
        { content: "why?", reply: null },
        { content: "because", reply: shortReply },
      ],
    ],
    ["counts", [{ content: "", reply: shortReply }]],
  ])("of %s messages has these texts and no others", (form, expected) => {
    const first = logOf(1).messages(0, 10, form);
    const last = first.hasMore ? logOf(1).messages(1, 10, form).items : [];
    expect([...first.items, ...last]).toMatchObject(expected);
  });

  it("has short messages with text, if only these are asked for", () => {
    expect(logOf(1).shownMessages(0, 10).items).toMatchObject([{ content: "why?" }, { reply: shortReply }]);
  });

  it.each<[MessageForm, number]>([
    ["whole", 1],
    ["short", 2 * 2],
    ["counts", 2],
  ])("of %s messages reads 1 MB of replies at most, and passes on little of them", (form, expected) => {
    const { items, hasMore } = logOf(40).messages(1, 1_000, form);
    expect(items).toHaveLength(expected);
    expect(hasMore).toBe(true);
    if (form !== "whole") expect(JSON.stringify(items).length).toBeLessThan(MAX_BATCH_CHARACTERS);
  });
});
