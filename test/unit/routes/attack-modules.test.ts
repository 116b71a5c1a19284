/**
 * The attack modules of Moonshot 0.7, beside what Moonshot's own modules made of the same prompts with the same seed of
 * Python's `random`: `test/fixtures/moonshot/attack-vectors.json`, recorded with Python 3.11, moonshot-data 0.7.6,
 * homoglyphs 2.0.4 and NLTK 3.8. NLTK's model of sentences was left out, so each prompt is one sentence.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import vectors from "../../fixtures/moonshot/attack-vectors.json" with { type: "json" };
import { lookAlikes } from "../../../src/routes/moonshot-07/attack-modules/homoglyphs.ts";
import { ATTACK_MODULES, isAttackModule, makePrompts } from "../../../src/routes/moonshot-07/attack-modules/modules.ts";
import { joinWords, splitWords } from "../../../src/routes/moonshot-07/attack-modules/words.ts";

describe("an attack module", () => {
  it.each(vectors.map((vector) => [vector.module, vector.seed, vector.prompt, vector.sent] as const))(
    "%s with the seed %i makes of %j what Moonshot makes",
    (module, seed, prompt, sent) => {
      if (!isAttackModule(module)) throw new Error(`No module ${module}`);
      expect(makePrompts(module, prompt, seed)).toEqual(sent);
    },
  );

  it("is in the recorded ones, each", () => {
    expect([...new Set(vectors.map(({ module }) => module))].toSorted()).toEqual(ATTACK_MODULES.toSorted());
  });

  it.each(ATTACK_MODULES)("%s makes the same of the same seed, and copes with any text", (module) => {
    for (const text of ["", " ", "12345 a", "🎉 naïve 北京 \u0000", "\n\n", "''\"``", "a".repeat(5_000)]) {
      const made = makePrompts(module, text, 3);
      expect(made).toEqual(makePrompts(module, text, 3));
      expect(made.length).toBeLessThanOrEqual(20);
    }
  });

  it.each(ATTACK_MODULES)("%s takes no long time for the longest prompt", (module) => {
    const texts = ["'", ".", "a-", ". ", '"', "(", " ", "n't ", "1 "].map((part) => part.repeat(100_000 / part.length));
    const startedAt = performance.now();
    for (const text of texts) makePrompts(module, text, 1);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it("makes something else of another seed", () => {
    const [one, two] = [1, 2].map((seed) =>
      makePrompts("charswap_attack", "Something happened yesterday evening", seed),
    );
    expect(one).not.toEqual(two);
  });
});

describe("the look-alikes of the characters of ASCII", () => {
  it("are those of the table of confusable characters, each in order of code point", () => {
    const all = Array.from({ length: 128 }, (_, code) => lookAlikes(String.fromCodePoint(code)).join(""));
    expect(Array.from(all.join(""))).toHaveLength(1_089);
    expect(createHash("sha256").update(all.join("\n")).digest("hex")).toBe(
      "6c32dc6aaf43fd6118a75d34b49d44a005b304b1d246e55122501afcdbf69a76",
    );
  });
});

describe("words", () => {
  it("end sentences, but not at short forms", () => {
    expect(splitWords("Ask Dr. Smith. He knows, e.g. 3 of them.")).toEqual(
      "Ask Dr. Smith . He knows , e.g. 3 of them .".split(" "),
    );
  });

  it("are joined as one writes them", () => {
    for (const text of ['He asks: "Don\'t!" (again)', "It cannot be 20%; I'm gonna wait.", "A dog's life--and {b}"])
      expect(joinWords(splitWords(text))).toBe(text);
  });
});
