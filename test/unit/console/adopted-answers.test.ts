/** Which answer of a comparison a message of the chat is from. */
import { expect, it } from "vitest";
import { matchAdopted } from "../../../src/console/bridge/adopted-answers.ts";

const answer = (chatId: string, endpoint: string, text: string) => ({ chatId, endpoint, text });
const adopted = (seq: number, chatId: string | null, endpoint: string, text: string) => ({
  seq,
  chatId,
  endpoint,
  text,
  turn: 1,
});

const SAME = [answer("a", "echo", "Yes"), answer("b", "echo", "Yes"), answer("c", "eliza", "Yes")];

it("marks one answer for each message, the first where nobody knows which it was", () => {
  expect([...matchAdopted([adopted(7, null, "echo", "Yes")], SAME)]).toEqual([["a", 7]]);
  const both = [adopted(7, null, "echo", "Yes"), adopted(8, null, "echo", "Yes"), adopted(9, null, "echo", "Yes")];
  expect([...matchAdopted(both, SAME)]).toEqual([
    ["a", 7],
    ["b", 8],
  ]);
});

it("marks the answer that the tab remembers before all others", () => {
  const both = [adopted(7, null, "echo", "Yes"), adopted(8, "a", "echo", "Yes")];
  expect([...matchAdopted(both, SAME)]).toEqual([
    ["a", 8],
    ["b", 7],
  ]);
});

it("marks no answer of another endpoint or text", () => {
  expect(matchAdopted([adopted(7, null, "eliza", "No"), adopted(8, null, "gone", "Yes")], SAME).size).toBe(0);
});
