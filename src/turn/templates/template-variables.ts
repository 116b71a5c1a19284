/**
 * Whether a new template uses the variables that exist, and only these. Jinja shows an unknown variable as nothing, so a
 * typing error would change every prompt without a word. Templates are rendered without this check: those from before it
 * keep working. Pure.
 */
import { parse, tokenize } from "@huggingface/jinja";
import { nearestName } from "../../core/unknown-fields.ts";
import type { Node } from "./template-rules.ts";

/** The variable that templates have. */
const PROMPT = "prompt";

/** All names that have a value. Both spellings are those of Jinja. */
const KNOWN_NAMES = [PROMPT, "true", "True", "false", "False", "none", "None"];

/** How much of an unknown name to repeat in an answer, in characters. */
const MAX_NAME_CHARACTERS = 100;

/**
 * What is wrong with the variables of a new template. A variable that some `default` or `is defined` provides for may be
 * unknown.
 *
 * @param template one that the template rules accept
 */
export function variableProblem(template: string): string | null {
  const tokens = tokenize(template);
  const names = tokens.flatMap(({ type, value }) => (type === "Identifier" ? [value] : []));
  return lostPromptProblem(names) ?? unknownVariableProblem(parse(tokens) as unknown as Node);
}

/** A template that does not use the prompt would lose each prompt, and render all the same. */
function lostPromptProblem(names: string[]): string | null {
  if (names.includes(PROMPT)) return null;
  const misspelled = names.find((name) => nearestName(name, [PROMPT]) !== null);
  const question = misspelled === undefined ? "" : `. It has "${misspelled}": did you mean "${PROMPT}"?`;
  return `must contain {{ ${PROMPT} }}, or every prompt is lost${question}`;
}

function unknownVariableProblem(tree: Node): string | null {
  const { used, optional } = namesIn(tree);
  const unknown = used.find((name) => !KNOWN_NAMES.includes(name) && !optional.includes(name));
  if (unknown === undefined) return null;
  const nearest = nearestName(unknown, KNOWN_NAMES);
  const shown = unknown.length > MAX_NAME_CHARACTERS ? `${unknown.slice(0, MAX_NAME_CHARACTERS - 1)}…` : unknown;
  return `has the unknown variable "${shown}"${nearest === null ? `: templates have "${PROMPT}" only` : `, did you mean "${nearest}"?`}`;
}

interface Names {
  used: string[];
  /** Those that the template provides for being unknown. */
  optional: string[];
}

function namesIn(node: Node): Names {
  if (node.type === "Identifier") return { used: [node.value], optional: [] };
  if (node.type === "KeywordArgumentExpression") return namesIn(node.value);
  if (node.type === "MemberExpression") return namesIn(node.object);
  if (node.type === "TestExpression") return namesInTest(node);
  if (node.type === "FilterExpression") return namesInFilter(node);
  return join(childrenOf(node).map(namesIn));
}

const namesInTest = ({ operand, test }: Extract<Node, { type: "TestExpression" }>): Names =>
  /^(un)?defined$/.test(test.value) ? optionalIn(operand) : namesIn(operand);

function namesInFilter({ operand, filter }: Extract<Node, { type: "FilterExpression" }>): Names {
  const { callee, args } = filter.type === "CallExpression" ? filter : { callee: filter, args: [] };
  const isDefault = callee.type === "Identifier" && callee.value === "default";
  return join([isDefault ? optionalIn(operand) : namesIn(operand), ...args.map(namesIn)]);
}

const optionalIn = (operand: Node): Names =>
  operand.type === "Identifier" ? { used: [], optional: [operand.value] } : namesIn(operand);

const join = (parts: Names[]): Names => ({
  used: parts.flatMap(({ used }) => used),
  optional: parts.flatMap(({ optional }) => optional),
});

/** An operator is a token, which looks like a node: `not` and `in` are of type `Identifier`. */
const childrenOf = (node: Node): Node[] =>
  Object.entries(node)
    .filter(([name]) => name !== "operator")
    .flatMap(([, value]: [string, unknown]) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isNode);

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;
