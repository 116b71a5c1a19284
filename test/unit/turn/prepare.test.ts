/** Templates and context strategies against vectors of Moonshot's behaviour. */
import { describe, expect, it, vi } from "vitest";
import { EMPTY_LOG, addPreviousPrompts } from "../../../src/turn/context-strategies.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../../src/core/message.ts";
import { comparisonTask, promptRenderer } from "../../../src/turn/prepare-turn.ts";
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
    ["Q: {{ promt }}", 'must contain {{ prompt }}, or every prompt is lost. It has "promt": did you mean "prompt"?'],
    ["{{ Prompt }}", 'must contain {{ prompt }}, or every prompt is lost. It has "Prompt": did you mean "prompt"?'],
    ["Answer the prompt: {{ x }}", "must contain {{ prompt }}, or every prompt is lost"],
    ["{# prompt #}{{ 'prompt' }}", "must contain {{ prompt }}, or every prompt is lost"],
    ["", "must contain {{ prompt }}, or every prompt is lost"],
  ])("must use the prompt: %j is refused when it is made, not when it is used", (template, message) => {
    expect(checkTemplate(template)).toEqual({
      ok: false,
      failure: { reason: "invalid", issues: [{ path: ["template"], message }] },
    });
    expect(renderTemplate(template, "hi").ok).toBe(true);
  });

  it.each([
    ["{{ prompt }} {{ promt }}", '"promt", did you mean "prompt"?'],
    ["{{ prompt }}{% if Prompt %}a{% endif %}", '"Prompt", did you mean "prompt"?'],
    ["{{ prompt if ture else 1 }}", '"ture", did you mean "true"?'],
    ["{{ prompt }}{{ system_message }}", '"system_message": templates have "prompt" only'],
    ["{{ prompt ~ x }}", '"x": templates have "prompt" only'],
    ["{{ prompt }}{{ (not x) }}", '"x": templates have "prompt" only'],
    ["{{ prompt | default(x) }}", '"x": templates have "prompt" only'],
    ["{{ prompt in [x] }}", '"x": templates have "prompt" only'],
    ["{{ x.strip() }}{{ prompt }}", '"x": templates have "prompt" only'],
    ["{{ prompt }}{{ x is string }}", '"x": templates have "prompt" only'],
    ["{{ prompt }}{{ x | upper }}", '"x": templates have "prompt" only'],
    [`{{ prompt }}{{ ${"x".repeat(200)} }}`, `"${"x".repeat(99)}…": templates have "prompt" only`],
  ])("have only known variables: %j is refused when it is made", (template, message) => {
    const issues = [{ path: ["template"], message: `has the unknown variable ${message}` }];
    expect(checkTemplate(template)).toEqual({ ok: false, failure: { reason: "invalid", issues } });
  });

  it("from before that rule render an unknown variable as nothing, as Jinja does", () => {
    expect(renderTemplate("{{ prompt }} {{ promt }}", "hi")).toEqual({ ok: true, value: "hi " });
  });

  it.each([
    "{{ system | default('Be brief.') }} {{ prompt }}",
    "{% if system is defined %}{{ system }}{% endif %}{{ prompt }}",
    "{{ system if system is not undefined else '' }}{{ prompt | upper | replace('a', 'b') }}",
    "{{ prompt.strip().upper() }}{{ True }}{{ none }}{# promt #}{{ 'promt' }}",
  ])("may provide for unknown variables: %s", (template) => {
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
    expect(renderTemplate(template, "prompt")).toMatchObject({
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

describe("the template of a turn", () => {
  const chats = Array.from({ length: 64 }, (_, n) => ({ chatId: `chat_${n}`, endpointId: null }));
  const template = { name: "shout", template: "{{ prompt | upper }}!" };

  it("is rendered once for all chats with the same text, and once more for each other text", () => {
    const render = vi.fn(renderTemplate);
    const preparation = { strategy: null, promptTemplate: "shout", renderPrompt: promptRenderer(template, render) };
    const tasks = chats.map((chat) => comparisonTask(chat, null, "hello", EMPTY_LOG, preparation));
    expect(new Set(tasks.map(({ preparedPrompt }) => preparedPrompt))).toEqual(new Set(["HELLO!"]));
    expect(render).toHaveBeenCalledTimes(1);
    expect(
      comparisonTask({ chatId: "other", endpointId: null }, null, "hi", EMPTY_LOG, preparation).preparedPrompt,
    ).toBe("HI!");
    expect(render).toHaveBeenCalledTimes(2);
  });

  it("fails in every chat, and is tried once", () => {
    const render = vi.fn(renderTemplate);
    const renderPrompt = promptRenderer({ name: "long", template: "{{ prompt }}{{ prompt }}" }, render);
    const preparation = { strategy: null, promptTemplate: "long", renderPrompt };
    const prompt = "x".repeat(MAX_PREPARED_PROMPT_CHARACTERS);
    for (const chat of chats)
      expect(comparisonTask(chat, null, prompt, EMPTY_LOG, preparation).call).toMatchObject({
        error: { code: "template_failed" },
      });
    expect(render).toHaveBeenCalledTimes(1);
  });
});
