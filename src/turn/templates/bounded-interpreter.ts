/**
 * Renders a checked template with limits on the length of every value, so that a template cannot exhaust memory or
 * time. Which syntax is allowed is in `template-rules.ts`. Pure.
 */
import { Environment, Interpreter } from "@huggingface/jinja";
import type { parse } from "@huggingface/jinja";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../../core/message.ts";
import { replacementIn } from "./template-rules.ts";
import type { Node } from "./template-rules.ts";

/** The longest value of any expression, in characters. */
const MAX_VALUE_CHARACTERS = 2 * MAX_PREPARED_PROMPT_CHARACTERS;

/** The total length of all values. It limits the time too. */
const MAX_TOTAL_CHARACTERS = 20 * MAX_PREPARED_PROMPT_CHARACTERS;

/** Thrown if the values of a template become too long. */
export class TemplateTooLong extends Error {}

type Evaluate = Interpreter["evaluate"];
type Value = ReturnType<Evaluate>;

/** Renders a tree that the template rules accept. @throws TemplateTooLong, and errors of the engine */
export function renderTree(tree: ReturnType<typeof parse>, prompt: string): string {
  const environment = new Environment();
  environment.variables.clear();
  const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
  for (const [name, value] of Object.entries({ prompt, ...constants })) environment.set(name, value);
  const { value } = new BoundedInterpreter(environment).run(tree);
  const rendered = typeof value === "string" ? value : "";
  if (rendered.length > MAX_PREPARED_PROMPT_CHARACTERS) throw new TemplateTooLong();
  return rendered;
}

/**
 * Measures the value of every expression. An operation returns at most a few times the length of its operands, except
 * for `replace`, whose result is computed in advance.
 */
class BoundedInterpreter extends Interpreter {
  /** Values that were evaluated in advance. Expressions have no side effects, so each is evaluated once. */
  readonly #evaluated = new WeakMap<object, Value>();
  #characters = 0;

  override evaluate(...[statement, environment]: Parameters<Evaluate>): Value {
    const evaluated = statement && this.#evaluated.get(statement);
    if (evaluated) return evaluated;
    const node = statement as unknown as Node | undefined;
    if (node?.type === "FilterExpression") this.#checkReplacement(node, environment);
    const value = super.evaluate(statement, environment);
    this.#addCharacters(lengthOf(value));
    return value;
  }

  #checkReplacement({ operand, filter }: Extract<Node, { type: "FilterExpression" }>, environment: Environment): void {
    const replacement = replacementIn(filter);
    if (!replacement) return;
    const value = this.evaluate(operand, environment);
    this.#evaluated.set(operand, value);
    const { search, replacement: replacementText, maxCount } = replacement;
    const matches = value.type === "StringValue" ? Math.min(maxCount, occurrences(value.value as string, search)) : 0;
    if (lengthOf(value) + matches * (replacementText.length - search.length) > MAX_VALUE_CHARACTERS)
      throw new TemplateTooLong();
  }

  #addCharacters(characters: number): void {
    this.#characters += characters;
    if (characters > MAX_VALUE_CHARACTERS || this.#characters > MAX_TOTAL_CHARACTERS) throw new TemplateTooLong();
  }
}

const lengthOf = ({ type, value }: Value): number => (type === "StringValue" ? (value as string).length : 0);

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
