import { Environment, Interpreter } from "@huggingface/jinja";
import type { parse } from "@huggingface/jinja";
import { replacementIn } from "./template-rules.ts";
import type { Node } from "./template-rules.ts";

/** The longest text, in characters, that a template may make of a prompt. */
export const MAX_PREPARED_PROMPT = 200_000;

/** The longest value that may come up on the way, in characters. */
const MAX_VALUE = 2 * MAX_PREPARED_PROMPT;

/** How long all values that come up may be together: it bounds the time too. */
const MAX_VALUES = 20 * MAX_PREPARED_PROMPT;

/** Thrown out of a template whose values grow too long. */
export class TooLong extends Error {}

type Evaluate = Interpreter["evaluate"];
type Value = ReturnType<Evaluate>;

/** Renders a tree that the rules for templates let pass. @throws TooLong, and what the engine says of values that do not fit */
export function renderTree(tree: ReturnType<typeof parse>, prompt: string): string {
  const environment = new Environment();
  environment.variables.clear();
  const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
  for (const [name, value] of Object.entries({ prompt, ...constants })) environment.set(name, value);
  const { value } = new BoundedInterpreter(environment).run(tree);
  const rendered = typeof value === "string" ? value : "";
  if (rendered.length > MAX_PREPARED_PROMPT) throw new TooLong();
  return rendered;
}

/**
 * Looks at every value that comes up. What a step may make of its operands is a few times their length, but for `replace`,
 * which is reckoned up before it is done.
 */
class BoundedInterpreter extends Interpreter {
  /** What was evaluated ahead of its turn. Nothing in a template changes a value, so it is evaluated once. */
  readonly #known = new WeakMap<object, Value>();
  #characters = 0;

  override evaluate(...[statement, environment]: Parameters<Evaluate>): Value {
    const known = statement && this.#known.get(statement);
    if (known) return known;
    const node = statement as unknown as Node | undefined;
    if (node?.type === "FilterExpression") this.#reckonUp(node, environment);
    const value = super.evaluate(statement, environment);
    this.#account(lengthOf(value));
    return value;
  }

  #reckonUp({ operand, filter }: Extract<Node, { type: "FilterExpression" }>, environment: Environment): void {
    const replacement = replacementIn(filter);
    if (!replacement) return;
    const value = this.evaluate(operand, environment);
    this.#known.set(operand, value);
    const { old, by, times } = replacement;
    const found = value.type === "StringValue" ? Math.min(times, occurrences(value.value as string, old)) : 0;
    if (lengthOf(value) + found * (by.length - old.length) > MAX_VALUE) throw new TooLong();
  }

  #account(characters: number): void {
    this.#characters += characters;
    if (characters > MAX_VALUE || this.#characters > MAX_VALUES) throw new TooLong();
  }
}

const lengthOf = ({ type, value }: Value): number => (type === "StringValue" ? (value as string).length : 0);

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
