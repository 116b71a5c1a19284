/** What becomes of halves of surrogate pairs in the texts of a reply. */
import { describe, expect, it } from "vitest";
import { SurrogateJoiner } from "../../../src/providers/call/surrogate-joiner.ts";

function joined(...texts: string[]): string[] {
  const joiner = new SurrogateJoiner();
  return [...texts.map((text) => joiner.join(text)), joiner.end()];
}

describe("a surrogate pair", () => {
  it("that is whole is passed on as it is", () => {
    expect(joined("a🎉", "", "b")).toEqual(["a🎉", "", "b", ""]);
  });

  it("that is split over two texts stays whole, also with nothing between", () => {
    expect(joined("a\ud83c", "\udf89b")).toEqual(["a", "🎉b", ""]);
    expect(joined("\ud83c", "", "\udf89")).toEqual(["", "", "🎉", ""]);
    expect(joined("\ud83c", "\udf89\ud83c", "\udf89")).toEqual(["", "🎉", "🎉", ""]);
  });
});

describe("half a pair", () => {
  it("without the other half is U+FFFD", () => {
    expect(joined("a\ud83cb", "\udf89c")).toEqual(["a\u{FFFD}b", "\u{FFFD}c", ""]);
    expect(joined("a\ud83c", "b")).toEqual(["a", "\u{FFFD}b", ""]);
    expect(joined("\ud83c", "\ud83c", "\udf89")).toEqual(["", "\u{FFFD}", "🎉", ""]);
  });

  it("at the end is U+FFFD", () => {
    expect(joined("a\ud83c")).toEqual(["a", "\u{FFFD}"]);
    expect(joined("a\udf89")).toEqual(["a\u{FFFD}", ""]);
  });

  it("makes the text that storage would make of the whole", () => {
    const texts = ["\ud83c", "\udf89\ud83c\ud83c", "\udf89", "\udf89x", "\ud83c"];
    expect(joined(...texts).join("")).toBe(texts.join("").toWellFormed());
  });
});
