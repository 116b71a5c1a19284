/** The engine for regular expressions against the platform's own. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRegex } from "../../../src/core/linear-regex.ts";

function matches(pattern: string, text: string): boolean | null {
  const compiled = compileRegex(pattern);
  if ("error" in compiled) throw new Error(`${pattern}: ${compiled.error}`);
  return compiled.matches(text);
}

// Without characters of two units: the engine of JavaScript finds \\B between the two.
const characters = fc.constantFrom("a", "b", "A", "1", " ", "\n", "é");
const atom = fc.constantFrom(
  "a",
  "b",
  "A",
  ".",
  "\\d",
  "\\W",
  "\\s",
  "[a-c]",
  "[^a\\d]",
  "[]a]",
  "\\b",
  "\\B",
  "^",
  "$",
  "😀",
);
const quantifier = fc.constantFrom("", "", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}");

const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(atom, quantifier).map(([one, count]) => (/^[\^$]$|^\\[bB]$/.test(one) ? one : one + count)),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => a + b),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie("node"), quantifier).map(([one, count]) => `(${one})${count}`),
  ),
})).node;

/** JavaScript reads `[]a]` as an empty class, and `\s` as more than RE2's five characters. */
const toJavaScript = (re2: string): string => re2.replaceAll("[]a]", "[\\]a]").replaceAll("\\s", "[\\t\\n\\f\\r ]");

it("finds what the platform's engine finds", () => {
  fc.assert(
    fc.property(
      pattern,
      fc.array(characters, { maxLength: 8 }),
      fc.constantFrom("", "i", "m", "s"),
      (re2, text, flag) => {
        const prefix = flag === "" ? "" : `(?${flag})`;
        expect(matches(prefix + re2, text.join(""))).toBe(
          new RegExp(toJavaScript(re2), `u${flag}`).test(text.join("")),
        );
      },
    ),
    { numRuns: 3_000 },
  );
});

describe("RE2's syntax", () => {
  it.each([
    ["(?i)tokyo", "It is TOKYO.", true],
    ["(?i:to)kyo", "TOkyo", true],
    ["(?i:to)kyo", "TOKYO", false],
    ["a(?i)b|c", "C", true],
    ["(?P<name>x)(?<other>y)", "xy", true],
    ["\\x41\\x{1F600}", "A😀", true],
    ["\\p{Lu}\\pL\\P{Lu}", "Ééb", true],
    ["\\Aab\\z", "ab", true],
    ["^b$", "a\nb", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["a{,2}", "a{,2}", true],
    ["a{2", "a{2", true],
    ["\\$1\\.", "$1.", true],
    ["", "", true],
  ])("%s in %j: %s", (re2, text, found) => {
    expect(matches(re2, text)).toBe(found);
  });

  it.each([
    ["(?=a)", /Look-around/],
    ["(?<!a)", /Look-around/],
    ["(a)\\1", /Back references/],
    ["a**", /repeated/],
    ["*a", /Nothing stands before/],
    ["(a", /no \)/],
    ["a)", /no \(/],
    ["[a", /ends too early/],
    ["[b-a]", /range/],
    ["a{1001}", /at most 1000/],
    ["(a{100}){100}", /too long/],
    ["\\p{Nothing}", /not known/],
    ["\\q", /not known/],
    ["[[:alpha:]]", /not supported/],
  ])("refuses %s", (re2, error) => {
    expect(compileRegex(re2)).toEqual({ error: expect.stringMatching(error) });
  });
});

it.each([
  ["repetitions of nothing within each other", "((((){1000}){1000}){1000}){1000}"],
  ["groups within each other", `${"(".repeat(400)}a${")".repeat(400)}`],
  ["groups that are never closed", "(".repeat(100_000)],
  ["more characters than it may have", "a".repeat(1_001)],
])("refuses at once what would take too long to compile: %s", (_, expression) => {
  expect(compileRegex(expression)).toEqual({ error: expect.any(String) });
});

it("counts its steps: no expression needs more for each character", () => {
  // Each of these takes the platform's engine longer than the age of the universe.
  for (const re2 of ["(a+)+$", "^(a|a)*$", "^(.*a){20}$", "(a?){40}a{40}$"])
    expect(matches(re2, `${"a".repeat(20_000)}!`)).toBe(false);
});

it("gives up a text that is too long for an expression of many steps", () => {
  expect(matches("(?:a?){400}b", "a".repeat(1_000))).toBe(false);
  expect(matches("(?:a?){400}b", "a".repeat(2_000_000))).toBe(null);
  expect(matches("a.b", "a".repeat(2_000_000))).toBe(false);
});
