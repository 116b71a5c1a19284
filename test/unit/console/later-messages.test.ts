import { expect, it } from "vitest";
import { countOffPath } from "../../../src/console/bridge/later-messages.ts";

const RECORDED = [
  { prompt: "q1", answer: "a1" },
  { prompt: "q2", answer: "a2" },
];

/** @param active the messages that are shown, by `seq` */
const tree = (active: number[], ...entries: [seq: number, parentSeq: number | null, content: string][]) =>
  entries.map(([seq, parentSeq, content]) => ({
    seq,
    parentSeq,
    content,
    role: content.startsWith("q") ? ("user" as const) : ("assistant" as const),
    active: active.includes(seq),
  }));

it("counts what comes after the answer that is replaced", () => {
  const chat = tree([1, 2, 3, 4, 5], [1, null, "q1"], [2, 1, "a1"], [3, 2, "q2"], [4, 3, "a2"], [5, 4, "q3"]);
  expect(countOffPath(chat, RECORDED.slice(0, 1))).toBe(3);
  expect(countOffPath(chat, RECORDED)).toBe(1);
});

it("counts what is shown instead of the turn, if that is in another variant", () => {
  const recorded = tree([1], [1, null, "q1"], [2, 1, "a1"], [3, 2, "q2"], [4, 3, "a2"]);
  const since = tree([5, 6, 7, 8, 9], [5, 1, "b1"], [6, 5, "q2"], [7, 6, "a3"], [8, 7, "q4"], [9, 8, "a4"]);
  expect(countOffPath([...recorded, ...since], RECORDED)).toBe(5);
  expect(countOffPath([...recorded, ...since], RECORDED.slice(0, 1))).toBe(4);
});

it("counts nothing if the turn is gone", () => {
  expect(countOffPath(tree([1], [1, null, "q3"]), RECORDED)).toBe(0);
});
