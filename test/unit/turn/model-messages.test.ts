/** Which messages a model gets for a conversation. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelMessage } from "../../../src/core/reply.ts";
import { modelMessages } from "../../../src/turn/model-messages.ts";

const wrapper = { system: "", before: "", after: "" };
const alternating = { alternateRoles: true, isComplete: false, wrapper };
const free = { ...alternating, alternateRoles: false };

/** `u: Hello` is a message of the user, and so on. */
const read = (lines: string[]): ModelMessage[] =>
  lines.map((line) => {
    const role = ({ u: "user", a: "assistant", s: "system" } as const)[line[0] as "u" | "a" | "s"];
    return { role, content: line.slice(3) };
  });
const write = (messages: ModelMessage[]): string[] => messages.map(({ role, content }) => `${role[0]}: ${content}`);
const shown = (lines: string[], how = alternating) => write(modelMessages(read(lines), how));

describe("what a model is shown", () => {
  it("has no blank messages", () => {
    const lines = ["s:  ", "u: one", "a: \n\t ", "u: two"];
    expect(shown(lines)).toEqual(["u: one\n\ntwo"]);
    expect(shown(lines, free)).toEqual(["u: one", "u: two"]);
  });

  it("has one system text before the conversation, which includes later ones where roles must alternate", () => {
    const lines = ["s: Be kind", "s: Be brief", "u: one", "a: two", "s: Page 7", "u: three"];
    expect(shown(lines)).toEqual(["s: Be kind\n\nBe brief\n\nPage 7", "u: one", "a: two", "u: three"]);
    expect(shown(lines, free)).toEqual(["s: Be kind\n\nBe brief", "u: one", "a: two", "s: Page 7", "u: three"]);
  });

  it("does not begin with a reply whose prompt is cut off", () => {
    expect(shown(["a: one", "a: two", "u: three"])).toEqual(["u: three"]);
    expect(shown(["s: Be kind", "a: two", "u: three"], free)).toEqual(["s: Be kind", "u: three"]);
  });

  it("keeps a greeting, in a form that the provider accepts", () => {
    const lines = ["s: Be kind", "a: Welcome", "u: one"];
    const greeting = "You opened the conversation with this message:\n\nWelcome";
    expect(shown(lines, { ...alternating, isComplete: true })).toEqual([`s: Be kind\n\n${greeting}`, "u: one"]);
    expect(shown(lines, { ...free, isComplete: true })).toEqual(lines);
  });

  it("has the endpoint's own texts around the prompt only", () => {
    const own = { system: "Judge", before: "<<", after: ">>" };
    const lines = ["s: Be kind", "u: one", "a: two", "u: three"];
    expect(shown(lines, { ...alternating, wrapper: own })).toEqual([
      "s: Judge\n\nBe kind",
      "u: one",
      "a: two",
      "u: <<three>>",
    ]);
  });

  it("alternates for any conversation, ends with the prompt, and loses no text of the user", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const, "system" as const),
      content: fc.constantFrom("", " ", "\n", "a", "b b", "c\n"),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), fc.boolean(), (log, isComplete) => {
        const prompt = { role: "user" as const, content: "prompt" };
        const messages = modelMessages([...log, prompt], { ...alternating, isComplete });
        const turns = messages.filter(({ role }, index) => !(index === 0 && role === "system"));
        expect(turns.map(({ role }) => role)).toEqual(
          turns.map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
        );
        expect(turns.at(-1)?.content.endsWith("prompt")).toBe(true);
        const asked = log.filter(({ role, content }) => role === "user" && content.trim() !== "");
        const text = turns.map(({ content }) => content).join("\n\n");
        for (const { content } of asked) expect(text).toContain(content);
      }),
    );
  });
});
