import type { Outcome } from "../../core/failure.ts";
import { invalid, success } from "../../core/failure.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../core/message.ts";
import { TemplateTooLong, renderTree } from "./bounded-interpreter.ts";
import { readTemplate } from "./template-rules.ts";

/**
 * Reads a Jinja template of variables, filters and conditions, and tries it out.
 *
 * @returns `invalid` at `["template"]`, saying what is wrong
 */
export function checkTemplate(template: string): Outcome<string> {
  return renderTemplate(template, "prompt");
}

/**
 * Sets a prompt in a template. The prompt is data: nothing in it is interpreted.
 *
 * @returns `invalid` when the template may not be used, cannot be rendered, or makes too long a text
 */
export function renderTemplate(template: string, prompt: string): Outcome<string> {
  try {
    const parsed = readTemplate(template);
    return "problem" in parsed ? invalid(["template"], parsed.problem) : success(renderTree(parsed.tree, prompt));
  } catch (error) {
    return invalid(["template"], messageOf(error));
  }
}

/** What the engine says of a template; its own accidents are nobody's business. */
function messageOf(error: unknown): string {
  if (error instanceof TemplateTooLong) return `made a text of over ${MAX_PREPARED_PROMPT_CHARACTERS} characters`;
  const isInternal = error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
  return isInternal ? "is not a Jinja template" : error.message;
}
