import type { Outcome } from "../../core/failure.ts";
import { invalid, success } from "../../core/failure.ts";
import { MAX_PREPARED_PROMPT, TooLong, renderTree } from "./bounded-interpreter.ts";
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
    const read = readTemplate(template);
    return "fault" in read ? invalid(["template"], read.fault) : success(renderTree(read.tree, prompt));
  } catch (error) {
    return invalid(["template"], complaintOf(error));
  }
}

/** What the engine says of a template; its own accidents are nobody's business. */
function complaintOf(error: unknown): string {
  if (error instanceof TooLong) return `made a text of over ${MAX_PREPARED_PROMPT} characters`;
  const own = error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
  return own ? "is not a Jinja template" : error.message;
}
