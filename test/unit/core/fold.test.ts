/** Which texts the search treats as equal, and which parts of a text it finds. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldText } from "../../../src/core/fold.ts";

const FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;

const graphemes = (text: string) => [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);

describe("texts that fold to the same", () => {
  it.each([
    ["composed and decomposed letters", "Zażółć gęślą jaźń", "Zażółć gęślą jaźń".normalize("NFD")],
    ["Hangul syllables and their letters", "서울 날씨", "서울 날씨".normalize("NFD")],
    ["marks in another order", "a\u0323\u0302", "a\u0302\u0323"],
    ["full-width letters and signs", "Ｐａｒｌｅｙ　１００％", "parley 100%"],
    ["narrow katakana", "ﾊﾟｰﾄﾅｰ ｶﾞｲﾄﾞ", "パートナー ガイド"],
    ["ligatures", "ﬁne oﬃce ﬆop", "fine office stop"],
    ["circled and Roman numbers", "① Ⅳ ㎏", "1 iv kg"],
    ["sharp s, large and small", "GROẞE STRASSE", "große straße"],
    ["sigma at the end of a word", "ΛΌΓΟΣ", "λόγος"],
    ["iota below", "ΤΩΙ ᾼ", "τῳ ᾳ".replaceAll("ῳ", "ωι")],
    ["the long s", "ſtraſſe", "STRASSE"],
    ["digraphs in three cases", "Ǆ ǅ", "ǆ ǆ"],
    ["letters without a capital of their own", "ǰ ŉ ẖ", "J\u030c ʼN H\u0331"],
    ["the Turkish letters i", "İZMİR ışık", "izmir IŞIK"],
    ["what is never visible", "co\u00adop\u200derate\ufeff ❤\ufe0f", "cooperate ❤"],
    ["symbols of units", "Ω Å K", "ω å k"],
    ["NUL, which would end a pattern, and what stands for it", "a\0É a\0b", "A\ufffdé A\ufffdB"],
    ["letters outside the basic plane", "𐐀 𝐁", "𐐨 b"],
  ])("%s", (_, one, other) => {
    expect(foldText(one)).toBe(foldText(other));
  });

  it("all forms and cases of every letter, and folded text itself", () => {
    for (let code = 0; code <= 0x1_ff_ff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const letter = String.fromCodePoint(code);
      const folded = foldText(letter);
      const same = [folded, letter.toLowerCase(), letter.toUpperCase(), ...FORMS.map((form) => letter.normalize(form))];
      if (same.some((one) => foldText(one) !== folded)) expect.soft(code.toString(16)).toBe("");
    }
  });

  it("all Unicode normalization forms of a text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...FORMS), (given, form) => {
        const text = given.toWellFormed();
        expect(foldText(text.normalize(form))).toBe(foldText(text));
      }),
    );
  });
});

describe("a part of a text", () => {
  it("folds to a part of the folded text", () => {
    for (const text of [
      "ΟΔΥΣΣΕΥΣ",
      "Straße GROẞ",
      "İstanbul",
      "ÀÉ",
      "ǅ",
      "Ｆｕｌｌ",
      "ﬁﬂ",
      "łąka",
      "한국어",
      "パート",
    ]) {
      for (const form of ["NFC", "NFD"] as const) {
        const parts = graphemes(text.normalize(form));
        for (let start = 0; start < parts.length; start++)
          for (let end = start + 1; end <= parts.length; end++)
            expect(foldText(text)).toContain(foldText(parts.slice(start, end).join("")));
      }
    }
  });

  it.each([
    ["a letter without its accent", "caf\u00e9", "cafe"],
    ["the same, decomposed", "cafe\u0301", "cafe"],
    ["an accent without its letter", "cafe\u0301", "\u0301"],
    ["an accent moved to another letter", "łąka", "ka\u0328"],
    ["a syllable without its last letter", "한국", "한구"],
  ])("is not %s", (_, text, part) => {
    expect(foldText(text)).not.toContain(foldText(part));
  });

  it("keeps ASCII signs", () => {
    expect(foldText("A%_\"*'\\ ^")).toBe("a%_\"*'\\ ^");
  });
});
