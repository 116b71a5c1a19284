/**
 * The Jinja syntax that prompt templates may use: variables, filters, conditions. It excludes everything that can take
 * long or grow without limit. Which variables there are is in `template-variables.ts`, rendering in
 * `bounded-interpreter.ts`. Pure.
 */
import { parse, tokenize } from "@huggingface/jinja";

/** Allowed nodes of the syntax tree. */
export type Node =
  | { type: "Program"; body: Node[] }
  | { type: "If"; test: Node; body: Node[]; alternate: Node[] }
  | { type: "Comment" }
  | { type: "StringLiteral"; value: string }
  | { type: "IntegerLiteral" | "FloatLiteral"; value: number }
  | { type: "ArrayLiteral" | "TupleLiteral"; value: Node[] }
  | { type: "Identifier"; value: string }
  | { type: "BinaryExpression"; operator: { value: string }; left: Node; right: Node }
  | { type: "UnaryExpression"; argument: Node }
  | { type: "Ternary"; condition: Node; trueExpr: Node; falseExpr: Node }
  | { type: "SelectExpression"; lhs: Node; test: Node }
  | { type: "FilterExpression"; operand: Node; filter: Node }
  | { type: "TestExpression"; operand: Node; test: { value: string } }
  | { type: "CallExpression"; callee: Node; args: Node[] }
  | { type: "MemberExpression"; object: Node; property: Node; computed: boolean }
  | { type: "KeywordArgumentExpression"; key: Node; value: Node };

type Rules = { [Type in Node["type"]]: (node: Extract<Node, { type: Type }>) => string | null };

/** Limits on tags, and on tokens within a tag: the parser and the interpreter recurse once for each. */
const MAX_TAGS = 1_000;
const MAX_TAG_TOKENS = 200;

/** White space in a row. One of the lexer's patterns takes quadratic time for it. */
const MAX_WHITE_SPACE = 500;

/** The longest search text. A search can cost its length for every character of the searched text. */
const MAX_SEARCH_TEXT = 100;

/** Filters that produce at most six characters for each one, in any combination. */
const ALLOWED_FILTERS = new Set([
  "upper",
  "lower",
  "title",
  "capitalize",
  "trim",
  "length",
  "string",
  "tojson",
  "safe",
  "int",
]);

/** Methods with the same limit. */
const ALLOWED_METHODS = new Set([
  "upper",
  "lower",
  "title",
  "capitalize",
  "strip",
  "lstrip",
  "rstrip",
  "startswith",
  "endswith",
]);

const ALLOWED_OPERATORS = new Set(["and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "~"]);

/** Names of constructs that are not allowed, for error messages. */
const CONSTRUCT_NAMES: ReadonlyMap<string, string> = new Map([
  ["For", "loops"],
  ["Set", "set"],
  ["Macro", "macros"],
  ["CallStatement", "call blocks"],
  ["FilterStatement", "filter blocks"],
  ["SliceExpression", "slices"],
  ["ObjectLiteral", "mappings"],
]);

/**
 * Parses and checks a template. Only listed syntax is allowed, so new constructs of the language are rejected.
 *
 * @returns the tree, or the problem
 * @throws the parser's error for a text that is not a template
 */
export function readTemplate(template: string): { tree: ReturnType<typeof parse> } | { problem: string } {
  if (template.split(/\S+/).some(({ length }) => length > MAX_WHITE_SPACE)) {
    return { problem: `must not contain more than ${MAX_WHITE_SPACE} white space characters in a row` };
  }
  const tokens = tokenize(template, { lstrip_blocks: true, trim_blocks: true });
  const sizes = tagSizes(tokens.map(({ type }) => type));
  if (sizes.length > MAX_TAGS) return { problem: `must not contain more than ${MAX_TAGS} tags` };
  if (sizes.some((size) => size > MAX_TAG_TOKENS)) {
    return { problem: `must not contain more than ${MAX_TAG_TOKENS} tokens in one tag` };
  }
  const tree = parse(tokens);
  const problem = problemIn(tree as unknown as Node);
  return problem === null ? { tree } : { problem };
}

/** Number of tokens in each tag. */
function tagSizes(types: string[]): number[] {
  const sizes: number[] = [];
  let size = 0;
  for (const type of types) {
    if (type === "Text" || type === "Comment") continue;
    const opens = type === "OpenStatement" || type === "OpenExpression";
    if (opens) sizes.push(0);
    size = opens ? 0 : size + 1;
    sizes[Math.max(0, sizes.length - 1)] = size;
  }
  return sizes;
}

const RULES: Rules = {
  Program: ({ body }) => firstProblem(body),
  If: ({ test, body, alternate }) => problemIn(test) ?? firstProblem(body) ?? firstProblem(alternate),
  Comment: () => null,
  StringLiteral: () => null,
  IntegerLiteral: () => null,
  FloatLiteral: () => null,
  Identifier: () => null,
  UnaryExpression: ({ argument }) => problemIn(argument),
  Ternary: ({ condition, trueExpr, falseExpr }) => firstProblem([condition, trueExpr, falseExpr]),
  SelectExpression: ({ lhs, test }) => firstProblem([lhs, test]),
  TestExpression: ({ operand }) => problemIn(operand),
  BinaryExpression: ({ operator, left, right }) => binaryProblem(operator.value, left, right),
  FilterExpression: ({ operand, filter }) => problemIn(operand) ?? filterProblem(filter),
  CallExpression: ({ callee, args }) => callProblem(callee, args),
  MemberExpression: () => "must not access members or items of values",
  ArrayLiteral: () => "may contain lists only after in",
  TupleLiteral: () => "may contain lists only after in",
  KeywordArgumentExpression: ({ value }) => problemIn(value),
};

function problemIn(node: Node): string | null {
  if (!Object.hasOwn(RULES, node.type)) return `must not contain ${CONSTRUCT_NAMES.get(node.type) ?? `a ${node.type}`}`;
  // The table has one entry for each type of node, which takes only nodes of that type.
  return (RULES[node.type] as (node: Node) => string | null)(node);
}

function firstProblem(nodes: Node[]): string | null {
  for (const node of nodes) {
    const problem = problemIn(node);
    if (problem !== null) return problem;
  }
  return null;
}

function binaryProblem(operator: string, left: Node, right: Node): string | null {
  if (!ALLOWED_OPERATORS.has(operator)) return `must not contain the operator ${operator}`;
  if (!operator.endsWith("in")) return firstProblem([left, right]);
  if (right.type === "ArrayLiteral" || right.type === "TupleLiteral") return firstProblem([left, ...right.value]);
  return left.type === "StringLiteral" && left.value.length <= MAX_SEARCH_TEXT
    ? problemIn(right)
    : `may search only for a literal text of up to ${MAX_SEARCH_TEXT} characters, or in a list`;
}

function filterProblem(filter: Node): string | null {
  const { callee, args } = filter.type === "CallExpression" ? filter : { callee: filter, args: null };
  const name = callee.type === "Identifier" ? callee.value : "";
  if (name === "default") return firstProblem(args ?? []);
  if (name === "replace") return replacementIn(filter) ? null : REPLACE_RULE;
  if (!ALLOWED_FILTERS.has(name)) return `must not contain the filter ${name}`;
  return args === null ? null : `may use the filter ${name} only without arguments`;
}

const REPLACE_RULE = `may use the filter replace only with literal texts, the first of 1 to ${MAX_SEARCH_TEXT} characters`;

/** The texts and the count of a `replace` filter; `null` for any other filter. */
export function replacementIn(filter: Node): { search: string; replacement: string; maxCount: number } | null {
  if (filter.type !== "CallExpression" || filter.callee.type !== "Identifier") return null;
  return filter.callee.value === "replace" ? replacementOf(filter.args) : null;
}

function replacementOf([first, second, third, ...more]: Node[]): {
  search: string;
  replacement: string;
  maxCount: number;
} | null {
  const [search, replacement, maxCount] = [
    textOf(first),
    textOf(second),
    third === undefined ? Infinity : maxCountOf(third),
  ];
  const isSearchText = search !== null && search !== "" && search.length <= MAX_SEARCH_TEXT;
  return isSearchText && replacement !== null && maxCount !== null && more.length === 0
    ? { search, replacement, maxCount }
    : null;
}

const textOf = (node: Node | undefined): string | null => (node?.type === "StringLiteral" ? node.value : null);

/** A negative count means all occurrences, as in Python. */
function maxCountOf(node: Node): number | null {
  if (node.type !== "IntegerLiteral") return null;
  return node.value < 0 ? Infinity : node.value;
}

function callProblem(callee: Node, args: Node[]): string | null {
  const isMethod = callee.type === "MemberExpression" && !callee.computed && callee.property.type === "Identifier";
  const name = isMethod && callee.property.type === "Identifier" ? callee.property.value : null;
  if (!isMethod || name === null) return "must not contain function calls";
  if (!ALLOWED_METHODS.has(name)) return `must not contain the method ${name}`;
  return args.every(({ type }) => type === "StringLiteral")
    ? problemIn(callee.object)
    : "may call methods only with literal texts";
}
