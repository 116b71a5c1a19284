/** Which part of a log an answer shows. */
import { describe, expect, it } from "vitest";
import { windowStart } from "../../../src/core/shown-window.ts";
import type { MessageSize } from "../../../src/core/shown-window.ts";

/** Messages of a chat, newest first. */
const messages = (count: number, characters: number): MessageSize[] =>
  Array.from({ length: count }, (_, index) => ({ seq: count - index, turnId: null, isReply: false, characters }));

/** Turns of a comparison, newest first: each has a prompt and a reply of every chat. */
function turns(count: number, chats: number, [prompt, reply]: [number, number]): MessageSize[] {
  const rows: MessageSize[] = [];
  for (let turn = 1; turn <= count; turn++) {
    const turnId = `turn-${turn}`;
    rows.push({ seq: rows.length + 1, turnId, isReply: false, characters: prompt });
    for (let chat = 0; chat < chats; chat++)
      rows.push({ seq: rows.length + 1, turnId, isReply: true, characters: reply });
  }
  return rows.toReversed();
}

describe("the window of a chat", () => {
  it.each([
    ["has everything", messages(1_000, 1), 0],
    ["has 1,000 messages", messages(1_001, 1), 1],
    ["has 4 million characters", messages(41, 100_000), 1],
    ["has exactly 4 million characters", messages(40, 100_000), 0],
    ["has the newest message, however long it is", messages(2, 5_000_000), 1],
    ["has nothing of an empty log", [], 0],
  ])("%s", (_, newestFirst, start) => {
    expect(windowStart(newestFirst, "messages")).toBe(start);
  });
});

describe("the window of a comparison", () => {
  it.each([
    ["has everything", turns(100, 2, [10, 10]), 0],
    ["has whole turns of 1,000 messages in all", turns(334, 2, [10, 10]), 3],
    ["has whole turns when only a part of the first is read", turns(400, 2, [10, 10]).slice(0, 1_001), 201],
    ["counts a prompt for each of its records", turns(3, 64, [30_000, 1]), 65],
    ["has the newest turn, however long it is", turns(2, 64, [100_000, 100_000]), 65],
  ])("%s", (_, newestFirst, start) => {
    expect(windowStart(newestFirst, "records")).toBe(start);
  });

  it("reads no further than it must", () => {
    let read = 0;
    const rows = function* () {
      for (const row of turns(100, 1, [1_000_000, 1_000_000])) {
        read += 1;
        yield row;
      }
    };
    expect(windowStart(rows(), "records")).toBe(196);
    expect(read).toBe(7);
  });
});
