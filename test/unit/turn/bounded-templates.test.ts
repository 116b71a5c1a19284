/** What a template may contain, and that no template uses too much time or memory. */
import { Interpreter } from "@huggingface/jinja";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../../src/core/message.ts";
import { renderTemplate } from "../../../src/turn/templates/render-template.ts";

afterEach(() => void vi.restoreAllMocks());

/** @returns the length of the longest value from now on */
function longestValue(): () => number {
  let longest = 0;
  const evaluate = Reflect.get<Interpreter, "evaluate">(Interpreter.prototype, "evaluate");
  vi.spyOn(Interpreter.prototype, "evaluate").mockImplementation(function look(this: Interpreter, ...args) {
    const value = evaluate.apply(this, args);
    if (typeof value.value === "string") longest = Math.max(longest, value.value.length);
    return value;
  });
  return () => longest;
}

const render = (template: string) => renderTemplate(template, "prompt");
const REFUSED = { ok: false, failure: { reason: "invalid", issues: [{ path: ["template"] }] } };

describe("a template may contain", () => {
  it.each([
    ["{{ prompt | upper | lower | title | capitalize | trim }}", " hi ", "Hi"],
    ["{{ prompt | length }} {{ prompt | length > 1 }}", "hi", "2 true"],
    ["{{ other | default('none given') }}", "hi", "none given"],
    ["{{ '' | default(prompt, true) }}", "hi", "hi"],
    ["{{ prompt | replace('a', 'bb') | replace('b', '', 1) }}", "aa", "bbb"],
    ["{{ prompt | tojson }}", 'say "hi"', '"say \\"hi\\""'],
    ["{{ prompt | string | safe }}", "<b>", "<b>"],
    ["{{ prompt | int + 1 }}", "41", "42"],
    ["{{ prompt.strip().upper() }}", " hi ", "HI"],
    ["{{ 'yes' if prompt.startswith('h') else 'no' }}", "hi", "yes"],
    ["{% if prompt is string and not prompt == '' %}a{% elif prompt %}b{% else %}c{% endif %}", "hi", "a"],
    ["{% if 'hi' in prompt or prompt not in ['a', 'b'] %}yes{% endif %}", "oh hi", "yes"],
    ["{{ 'A: ' ~ prompt + '!' }}{{ -1 - 2 }}{{ True }}{{ none }}", "hi", "A: hi!-3true"],
    ["{%- if true -%}  x  {%- endif -%}", "hi", "x"],
  ])("%s", (template, prompt, rendered) => {
    expect(renderTemplate(template, prompt)).toEqual({ ok: true, value: rendered });
  });
});

describe("a template may not contain", () => {
  it.each([
    "{{ 'x' * 1000000000 }}",
    "{{ 2 ** 2 ** 1000 }}",
    "{{ prompt | replace('', prompt) }}",
    "{{ prompt | replace('a', prompt) }}",
    "{{ prompt | replace(prompt, '') }}",
    `{{ prompt | replace('${"a".repeat(101)}', '') }}`,
    "{{ prompt | replace('a', 'b', count=1) }}",
    "{{ prompt.replace('a', 'b') }}",
    "{{ prompt.split() }}",
    "{{ prompt.strip(prompt) }}",
    "{{ prompt | indent(1000000000) }}",
    "{{ prompt | indent }}",
    "{{ prompt | center(1000000000) }}",
    "{{ prompt | tojson(indent=1000000000) }}",
    "{{ prompt | join(prompt) }}",
    "{{ prompt | list }}",
    "{{ [prompt, prompt] | join(prompt) }}",
    "{{ [prompt] }}",
    "{{ (prompt, prompt) }}",
    "{{ {'a': prompt} }}",
    "{{ prompt[:100] }}",
    "{{ prompt[0] }}",
    "{{ prompt.upper }}",
    "{{ prompt.constructor }}",
    "{{ prompt['upper']() }}",
    "{{ prompt in prompt }}",
    "{{ strftime_now('%Y') }}",
    "{{ raise_exception('x') }}",
    "{{ ''.upper()() }}",
    "{% filter upper %}x{% endfilter %}",
    "{% call m() %}{% endcall %}",
    "{% if true %}{% break %}{% endif %}",
    "{{ prompt | map('upper') }}",
    "{{ prompt | constructor }}",
    "{{ prompt is nonsense }}",
  ])("%s", (template) => {
    expect(render(template)).toMatchObject(REFUSED);
  });

  it.each([
    ["parentheses without end", `{{ ${"(".repeat(99_000)} }}`],
    ["lists without end", `{{ 1 in ${"[".repeat(99_000)} }}`],
    ["nots without end", `{{ ${"not ".repeat(24_000)} true }}`],
    ["signs without end", `{{ ${"-".repeat(99_000)}1 }}`],
    ["filters without end", `{{ prompt${"|trim".repeat(19_000)} }}`],
    ["a sum without end", `{{ ${"prompt ~ ".repeat(11_000)} 1 }}`],
    ["calls without end", `{{ prompt${".strip()".repeat(12_000)} }}`],
    ["choices without end", `{{ ${"1 if 0 else ".repeat(8_000)} 1 }}`],
    ["conditions in conditions", `${"{% if 1 %}".repeat(4_000)}${"{% endif %}".repeat(4_000)}`],
    ["cases without end", `{% if 0 %}${"{% elif 0 %}".repeat(7_000)}{% endif %}`],
    ["blanks without end", " ".repeat(99_000)],
    ["blanks before each tag", `${`${" ".repeat(600)}{% `.repeat(160)}`],
    ["tags without end", "{{ 1 }}".repeat(14_000)],
    ["tags that do not close", "{{".repeat(50_000)],
    ["nothing but brackets", "{%{{(".repeat(20_000)],
  ])("%s, and is rejected at once", (_, template) => {
    expect(render(template)).toMatchObject(REFUSED);
  });

  it("anything deeper than the limits, but up to them it may", () => {
    expect(render(`{{ ${"(".repeat(95)}1${")".repeat(95)} }}`)).toEqual({ ok: true, value: "1" });
    expect(render(`{% if 0 %}${"{% elif 0 %}".repeat(997)}{% endif %}`)).toEqual({ ok: true, value: "" });
    const nested = `${"{% if 1 %}".repeat(500)}x${"{% endif %}".repeat(500)}`;
    expect(render(nested)).toEqual({ ok: true, value: "x" });
  });
});

describe("a text that grows too long fails, however it grows", () => {
  it.each([
    ["by replacing", `{{ prompt${"|replace('a', 'aaaaaaaaaa')".repeat(20)} }}`],
    ["by replacing with a long text", `{{ prompt|replace('a', '${"b".repeat(90_000)}') }}`],
    ["by replacing, unseen", `{% if prompt${"|replace('a', 'aaaaaaaaaa')".repeat(20)} %}x{% endif %}`],
    ["by quoting", `{{ prompt${"|tojson".repeat(60)} }}`],
    ["by adding", `{{ ${"prompt ~ ".repeat(90)} '' }}`],
    ["tag by tag", "{{ prompt }}".repeat(1_000)],
    ["tag by tag, unseen", "{% if prompt == 'x' %}x{% endif %}".repeat(400)],
  ])("%s", (_, template) => {
    const longest = longestValue();
    expect(renderTemplate(template, "a".repeat(100_000))).toMatchObject({
      ok: false,
      failure: { issues: [{ message: `produced a text of more than ${MAX_PREPARED_PROMPT_CHARACTERS} characters` }] },
    });
    expect(longest()).toBeLessThanOrEqual(6 * MAX_PREPARED_PROMPT_CHARACTERS);
  });

  it("by quoting quotes", () => {
    const longest = longestValue();
    expect(renderTemplate(`{{ prompt${"|tojson".repeat(60)} }}`, '"'.repeat(100_000)).ok).toBe(false);
    expect(longest()).toBeLessThanOrEqual(6 * MAX_PREPARED_PROMPT_CHARACTERS);
  });

  it("but not when it ends up short enough", () => {
    const shrunk = renderTemplate("{{ prompt|replace('a', '')|upper }}", "ab".repeat(150_000));
    expect(shrunk).toEqual({ ok: true, value: "B".repeat(150_000) });
  });
});

/** Templates of everything that is allowed, and some of what is not. */
const { tree: templates } = fc.letrec<{ tree: string; expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom("prompt", "'a'", "'\"\\n'", "other", "12", "1.5", "true", "none"),
    fc
      .tuple(tie("expression"), fc.constantFrom("~", "+", "-", "and", "or", "==", "<"), tie("expression"))
      .map((all) => all.join(" ")),
    fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(([a, b, c]) => `(${a} if ${b} else ${c})`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a})|default(${b}, true)`),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom(
          "|upper",
          "|tojson",
          "|length",
          "|string",
          "|trim",
          "|replace('a', 'aaaaaaaa')",
          "|replace('a', '')",
          "|replace('', 'a')",
          "|nope",
          ".strip()",
          ".title()",
          " is string",
          " in ['a', prompt]",
          "[1:]",
        ),
      )
      .map(([a, filter]) => `(${a})${filter}`),
  ),
  tree: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.string(),
    tie("expression").map((expression) => `{{ ${expression} }}`),
    fc
      .tuple(tie("expression"), tie("tree"), tie("tree"))
      .map(([a, b, c]) => `{% if ${a} %}${b}{% else %}${c}{% endif %}`),
    fc.tuple(tie("tree"), tie("tree")).map((all) => all.join("")),
  ),
}));

it("renders any template with any prompt, or fails, and no value exceeds its limit", () => {
  const longest = longestValue();
  const prompts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("a".repeat(1_000), '"'.repeat(100_000), "ΐ".repeat(100_000), "a".repeat(1_100_000)),
  );
  let rendered = 0;
  fc.assert(
    fc.property(templates, prompts, (template, prompt) => {
      const outcome = renderTemplate(template, prompt);
      if (outcome.ok) {
        rendered += 1;
        expect(outcome.value.length).toBeLessThanOrEqual(MAX_PREPARED_PROMPT_CHARACTERS);
      } else {
        expect(outcome).toMatchObject(REFUSED);
      }
    }),
    { numRuns: 1_500 },
  );
  expect(rendered).toBeGreaterThan(100);
  expect(longest()).toBeLessThanOrEqual(12 * MAX_PREPARED_PROMPT_CHARACTERS);
});

it("accepts or rejects any text as a template", () => {
  const pieces = fc.constantFrom(
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "if",
    "endif",
    "(",
    "[",
    "{",
    "'",
    "|",
    ".",
    " ",
    "\n",
    "\\",
    "for",
    "in",
    "generation",
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 }))).map((all) => all.join("")),
      (template) => {
        const outcome = render(template);
        if (!outcome.ok) expect(outcome).toMatchObject(REFUSED);
      },
    ),
    { numRuns: 3_000 },
  );
});
