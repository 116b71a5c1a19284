/**
 * Prompt templates in Jinja: checks and renders them. The allowed syntax is in `template-rules.ts`, the limits of
 * rendering in `bounded-interpreter.ts`. Pure.
 */
import type { Outcome } from "../../core/failure.ts";
import { invalid, success } from "../../core/failure.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../core/message.ts";
import { TemplateTooLong, renderTree } from "./bounded-interpreter.ts";
import { readTemplate } from "./template-rules.ts";
import { variableProblem } from "./template-variables.ts";

/**
 * Checks a new template and renders it once.
 *
 * @returns `invalid` at `["template"]`, with the problem
 */
export function checkTemplate(template: string): Outcome<string> {
  return attempt(() => {
    const parsed = readTemplate(template);
    const problem = "problem" in parsed ? parsed.problem : variableProblem(template);
    return problem === null ? renderTemplate(template, "prompt") : invalid(["template"], problem);
  });
}

/**
 * Renders a template with a prompt. The prompt is data: template syntax in it has no effect.
 *
 * @returns `invalid` if the template is not allowed, fails, or produces too long a text
 */
export function renderTemplate(template: string, prompt: string): Outcome<string> {
  return attempt(() => {
    const parsed = readTemplate(template);
    return "problem" in parsed ? invalid(["template"], parsed.problem) : success(renderTree(parsed.tree, prompt));
  });
}

/** The engine throws what is wrong with a template. */
function attempt(work: () => Outcome<string>): Outcome<string> {
  try {
    return work();
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
