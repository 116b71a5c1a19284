/** Files that `npm run compare` reads: what becomes of them, and which line a refusal names. */
import { describe, expect, it } from "vitest";
import { readDataSet } from "../../../src/dev/compare/read-data-set.ts";

const itemsOf = (file: string, text: string): unknown => {
  const dataSet = readDataSet(file, text);
  return "items" in dataSet ? dataSet.items : dataSet.text;
};

describe("a promptfoo file", () => {
  const config = (assert: string) => `prompts: ["What is {{topic}}?"]
tests:
  - vars: {topic: tea}
    assert:
      - ${assert}
`;

  it("is each prompt with the variables of each test, judged by its asserts", () => {
    const text = `
description: Drinks
providers: [openai:gpt-4]
prompts:
  - What is {{ topic }}?
  - raw: More about {{topic}}.
defaultTest:
  vars: {topic: water}
  assert: [{type: not-contains, value: sorry}]
tests:
  - description: tea
    vars: {topic: tea}
    assert:
      - {type: contains, value: "{{topic}}", metric: relevance}
      - {type: icontains, value: "Hot (very)?"}
  - {}
`;
    const tea = { contains: "tea", not_contains: "sorry", regex: "(?i)Hot \\(very\\)\\?" };
    expect(itemsOf("drinks.yaml", text)).toEqual([
      { prompt: "What is tea?", expect: tea },
      { prompt: "More about tea.", expect: tea },
      { prompt: "What is water?", expect: { not_contains: "sorry" } },
      { prompt: "More about water.", expect: { not_contains: "sorry" } },
    ]);
    expect(readDataSet("drinks.yaml", text).remarks.join()).toContain("providers are not used");
  });

  it.each([
    ["{type: equals, value: 4}", { equals: "4" }],
    ["{type: regex, value: a+}", { regex: "a+" }],
    ["{type: starts-with, value: a.b}", { regex: "^a\\.b" }],
    ["{type: contains-any, value: [a, b?]}", { regex: "(?:a|b\\?)" }],
    ["{type: contains-all, value: [a]}", { contains: "a" }],
  ])("has assert %s", (assert, expected) => {
    expect(itemsOf("a.yml", config(assert))).toEqual([{ prompt: "What is tea?", expect: expected }]);
  });

  it.each([
    ["{type: llm-rubric, value: good}", "line 5: assert llm-rubric is not supported"],
    ["{type: toString, value: a}", "line 5: assert toString is not supported"],
    ["{type: not-regex, value: a}", "line 5: assert not-regex is not supported"],
    ["{type: contains-all, value: [a, b]}", "line 5: assert contains-all with several values"],
    ["{type: contains-any, value: 'a,b'}", "line 5: the value of assert contains-any must be a list"],
    ["{type: contains, value: a, threshold: 1}", "line 5: threshold of an assert is not supported"],
    ["{type: contains, value: 'file://a.txt'}", "line 5: the value of assert contains must be a text"],
    ["{type: equals, value: {a: 1}}", "line 5: the value of assert equals must be a text"],
    ["{type: contains, value: '{{other}}'}", "line 5: {{other}} is not the name of a variable"],
    ["{type: contains, value: a}\n      - {type: contains, value: b}", "line 6: assert contains is one too many"],
  ])("is refused with assert %s", (assert, message) => {
    expect(() => itemsOf("a.yaml", config(assert))).toThrow(message);
  });

  it.each([
    ["prompts: [a]\ntests:\n  - vars: {a: [1, 2]}\n", "line 3: a must be a text or a number"],
    ["prompts: [a]\ntests:\n  - vars: {a: 1}\n    options: {}\n", "line 4: options is not supported"],
    ["prompts: [a]\nscenarios: []\ntests: []\n", "line 2: scenarios is not supported"],
    ["prompts:\n  - prompt.txt\ntests: []\n", "line 2: a prompt must be a text in this file"],
    ["prompts: [a]\ntests: file://tests.csv\n", "line 2: tests must be a list"],
    ["prompts:\n  - '{% if a %}'\ntests: [{}]\n", "line 2: {% and {# are not supported"],
    ["prompts: [a]\ntests: [\n", "at line 3"],
  ])("is refused: %j", (text, message) => {
    expect(() => itemsOf("a.yaml", text)).toThrow(message);
  });

  it("is refused with all that is wrong, each once, and at most 20 of it", () => {
    const text = `prompts: [prompt.txt]
scenarios: []
defaultTest: {assert: [{type: shared, value: a}]}
tests:
  - {options: {}, vars: {a: [1]}, assert: [{type: first, value: a}, {type: second, value: a}]}
  - {assert: [{type: third, value: a}]}
`;
    const problemsOf = (yaml: string): string[] => {
      try {
        return [String(itemsOf("a.yaml", yaml))];
      } catch (error) {
        return String(error)
          .split("\n")
          .slice(1)
          .map((line) => line.trim().replace(/(not supported|number|text).*/, "$1"));
      }
    };
    expect(problemsOf(text)).toEqual([
      "line 2: scenarios is not supported",
      "line 1: a prompt must be a text",
      "line 5: options is not supported",
      "line 5: a must be a text",
      "line 3: assert shared is not supported",
      "line 5: assert first is not supported",
      "line 5: assert second is not supported",
      "line 6: assert third is not supported",
    ]);
    const many = `prompts: [a]\ntests:\n${"  - {assert: [{type: none}]}\n".repeat(25)}`;
    expect(problemsOf(many)).toHaveLength(21);
    expect(problemsOf(many).at(-1)).toBe("and 5 more");
  });

  it.each(["constructor", "__proto__"])("knows no variable %s unless the test has it", (name) => {
    const text = `prompts: ['What is {{${name}}}?']\ntests:\n  - vars: {topic: tea}\n`;
    expect(() => readDataSet("a.yaml", text)).toThrow(`{{${name}}} is not the name of a variable`);
  });

  it("may be JSON", () => {
    const text = '{"prompts": "Hello {{a}}",\n "tests": [{"vars": {"a": 1}},\n {"vars": {"b": 1}}]}';
    expect(() => itemsOf("a.json", text)).toThrow("line 1: {{a}} is not the name of a variable");
    expect(itemsOf("a.json", text.replace('"b"', '"a"'))).toEqual([{ prompt: "Hello 1" }, { prompt: "Hello 1" }]);
  });
});

it("a data set of Moonshot is its examples", () => {
  const examples = [{ input: "1 + 1?", target: 2, note: "easy" }, { input: "Say anything" }];
  const text = JSON.stringify({ name: "Sums", description: "", license: "", reference: "", examples });
  expect(itemsOf("sums.json", text)).toEqual([{ input: "1 + 1?", target: "2" }, { input: "Say anything" }]);
  expect(() => itemsOf("a.json", '{"examples": [\n{"input": 1}]}')).toThrow("line 2: input must be a text");
});

it("items stand in a list, or in items; a problem of the server's answer gets the line of its item", () => {
  const text = "- prompt: Hi\n- prompt: Ho\n  expect: {regex: '(?=a)'}\n";
  expect(itemsOf("a.yaml", text)).toHaveLength(2);
  expect(readDataSet("a.yaml", text).explain("items.1.expect.regex", "is not understood")).toBe(
    "line 2: expect.regex: is not understood",
  );
  expect(itemsOf("a.json", '{"items": [{"prompt": "Hi"}]}')).toEqual([{ prompt: "Hi" }]);
  expect(itemsOf("a.jsonl", '{"prompt": 1}')).toBe('{"prompt": 1}');
  expect(() => itemsOf("a.txt", "")).toThrow("must be .jsonl, .csv, .json or .yaml");
  expect(() => itemsOf("a.json", '{"a": 1}')).toThrow("It must be a list of items");
  expect(() => itemsOf("a.json", "{")).toThrow("is not taken");
});
