/** Templates and context strategies against vectors of Moonshot's behaviour. */
import { describe, expect, it } from "vitest";
import { addPreviousPrompts } from "../../../src/turn/context-strategies.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../../src/core/message.ts";
import { checkTemplate, renderTemplate } from "../../../src/turn/templates/render-template.ts";
import vectors from "../../fixtures/conformance/prepare-vectors.json";

describe("templates", () => {
  it.each(vectors.template)("render $template with $prompt", ({ template, prompt, rendered }) => {
    expect(renderTemplate(template, prompt)).toEqual({ ok: true, value: rendered });
  });

  it("do not interpret the prompt", () => {
    const prompt = "{{ 7 * 7 }}{% for x in y %}{# c #}";
    expect(renderTemplate("{{ prompt }}", prompt)).toEqual({ ok: true, value: prompt });
  });

  it.each([
    "{% if prompt %}yes{% else %}no{% endif %}",
    "{{ prompt | replace('a', 'b') | trim }}",
    "{{ 'x' if prompt is defined }}",
  ])("may contain %s", (template) => {
    expect(checkTemplate(template).ok).toBe(true);
  });

  it.each([
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{{ range(1000000000) }}",
    "{{ namespace(a=1) }}",
    "{% macro m() %}{% endmacro %}",
    "{% set a = 1 %}",
    "{% if true %}{% for i in prompt %}{% endfor %}{% endif %}",
    "{{ prompt",
    "{{ prompt | nope }}",
    "{{ nope() }}",
    "{% if prompt %}x",
    `{{ ${"(".repeat(3000)} }}`,
    "{% import 'x' as y %}",
  ])("may not contain %s", (template) => {
    expect(checkTemplate(template)).toMatchObject({
      ok: false,
      failure: { reason: "invalid", issues: [{ path: ["template"] }] },
    });
  });

  it("may not produce a prompt that is too long", () => {
    const prompt = "x".repeat(MAX_PREPARED_PROMPT_CHARACTERS / 2);
    expect(renderTemplate("{{ prompt }}{{ prompt }}", prompt).ok).toBe(true);
    expect(renderTemplate("{{ prompt }}{{ prompt }}!", prompt).ok).toBe(false);
  });
});

it.each(vectors.add_previous_prompt)(
  "add_previous_prompt makes $result",
  ({ prompt, previous_prepared_newest_first, result }) => {
    expect(addPreviousPrompts(prompt, previous_prepared_newest_first)).toBe(result);
  },
);
