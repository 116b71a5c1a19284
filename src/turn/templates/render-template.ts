/**
 * Prompt templates in Jinja: checks and renders them. The allowed syntax is in `template-rules.ts`, the limits of
 * rendering in `bounded-interpreter.ts`. Pure.
 */
import type { Outcome } from "../../core/failure.ts";
import { invalid, success } from "../../core/failure.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../core/message.ts";
import { TemplateTooLong, renderTree } from "./bounded-interpreter.ts";
import { lostPromptProblem, readTemplate } from "./template-rules.ts";

/**
 * Checks a new template and renders it once.
 *
 * @returns `invalid` at `["template"]`, with the problem
 */
export function checkTemplate(template: string): Outcome<string> {
  const rendered = renderTemplate(template, "prompt");
  const problem = rendered.ok ? lostPromptProblem(template) : null;
  return problem === null ? rendered : invalid(["template"], problem);
}

/**
 * Renders a template with a prompt. The prompt is data: template syntax in it has no effect.
 *
 * @returns `invalid` if the template is not allowed, fails, or produces too long a text
 */
export function renderTemplate(template: string, prompt: string): Outcome<string> {
  try {
    const parsed = readTemplate(template);
    return "problem" in parsed ? invalid(["template"], parsed.problem) : success(renderTree(parsed.tree, prompt));
  } catch (error) {
    return invalid(["template"], messageOf(error));
  }
}

/** The engine's message for an error in a template. Internal errors of the engine are not shown. */
function messageOf(error: unknown): string {
  if (error instanceof TemplateTooLong)
    return `produced a text of more than ${MAX_PREPARED_PROMPT_CHARACTERS} characters`;
  const isInternal = error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
  return isInternal ? "is not a Jinja template" : error.message;
}
