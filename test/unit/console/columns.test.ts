/** Which name stands over which answers. */
import { expect, it } from "vitest";
import type { Comparison } from "../../../src/client/types.ts";
import { columnsOf } from "../../../src/console/compare/columns.ts";

const session = (chatIds: string[], endpoints: string[]) => ({ chat_ids: chatIds, endpoints }) as unknown as Comparison;

it("names each chat after its endpoint, and numbers those of one endpoint", () => {
  const columns = columnsOf(session(["a", "b", "c"], ["echo", "eliza", "echo"]), []);
  expect(columns.map(({ chatId, title }) => [chatId, title])).toEqual([
    ["a", "echo"],
    ["b", "eliza"],
    ["c", "echo (2)"],
  ]);
});

it("numbers a chatbot that is called like an endpoint", () => {
  const shared = { name: "echo", detail: "", prices: null };
  const columns = columnsOf(session(["a", "b"], ["echo", "chatbot:1"]), [
    { id: "echo", ...shared },
    { id: "chatbot:1", ...shared },
  ]);
  expect(columns.map(({ title }) => title)).toEqual(["echo", "echo (2)"]);
});

it("has a recorded chat first, which has no endpoint", () => {
  const columns = columnsOf(session(["recorded", "a", "b"], ["echo", "chatbot:1"]), []);
  expect(columns.map(({ title, isRecorded }) => [title, isRecorded])).toEqual([
    ["Recorded", true],
    ["echo", false],
    ["chatbot:1", false],
  ]);
});
