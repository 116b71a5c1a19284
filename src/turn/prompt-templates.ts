import { Template } from "@huggingface/jinja";
import type { Outcome } from "../core/failure.ts";
import { invalid, success } from "../core/failure.ts";

/** The longest text, in characters, that a template may make of a prompt. */
export const MAX_PREPARED_PROMPT = 200_000;

/** Statements that can run for long, or reach outside the template. */
const REFUSED: Record<string, string> = {
  For: "loops",
  Set: "set",
  Macro: "macros",
  CallStatement: "call blocks",
  FilterStatement: "filter blocks",
};

/** Functions that the engine hands to every template. */
const REFUSED_FUNCTIONS = new Set(["range", "namespace", "raise_exception", "strftime_now"]);

/**
 * Reads a Jinja template of variables, filters and conditions. Loops, `range`, macros, imports and `set` are refused: a
 * loop over a huge range would end the whole process. It is tried out, so that an unknown filter shows at once.
 *
 * @returns `invalid` at `["template"]`, saying what is wrong
 */
export function checkTemplate(template: string): Outcome<Template> {
  try {
    const parsed = new Template(template);
    const refused = refusedNode(parsed.parsed);
    if (refused !== null) return invalid(["template"], `may not hold ${refused}`);
    parsed.render({ prompt: "prompt" });
    return success(parsed);
  } catch (error) {
    return invalid(["template"], complaintOf(error));
  }
}

/** What the engine says of a template; its own accidents are nobody's business. */
function complaintOf(error: unknown): string {
  const own = error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
  return own ? "is not a Jinja template" : error.message;
}

function refusedNode(node: unknown): string | null {
  if (node instanceof Map) return firstRefused([...node.entries()].flat());
  if (typeof node !== "object" || node === null) return null;
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === "Identifier" && REFUSED_FUNCTIONS.has(String(value))) return String(value);
  return REFUSED[String(type)] ?? firstRefused(Object.values(node));
}

function firstRefused(nodes: unknown[]): string | null {
  for (const node of nodes) {
    const refused = refusedNode(node);
    if (refused !== null) return refused;
  }
  return null;
}

/**
 * Sets a prompt in a template. The prompt is data: nothing in it is interpreted.
 *
 * @returns `invalid` when the template cannot be rendered or makes more than {@link MAX_PREPARED_PROMPT} characters
 */
export function renderTemplate(template: string, prompt: string): Outcome<string> {
  const checked = checkTemplate(template);
  if (!checked.ok) return checked;
  try {
    const rendered = checked.value.render({ prompt });
    return rendered.length <= MAX_PREPARED_PROMPT
      ? success(rendered)
      : invalid(["template"], `made a prompt of over ${MAX_PREPARED_PROMPT} characters`);
  } catch (error) {
    return invalid(["template"], complaintOf(error));
  }
}
