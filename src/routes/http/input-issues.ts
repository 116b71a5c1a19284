/**
 * What is wrong with a body or a query, from zod's issues: under the names that pydantic uses, without secrets, and
 * bounded. What zod checks does not belong here. No effects.
 */
import { misplacedNames, unknownFieldMessage, unknownFields } from "../../core/unknown-fields.ts";
import type { Input } from "../openapi/inputs.ts";
import type { InputIssue } from "./problem.ts";

/** The fields of a zod issue that are the same in every version of zod. */
export interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  expected?: unknown;
  /** The type of the value that is too small or too big. */
  origin?: unknown;
  /** The names that the object at the path does not have. */
  keys?: string[];
  /** Of a union, the issues of each alternative. Their paths begin at that of the union. */
  errors?: Issue[][];
}

/** How many issues an answer lists. A body of 1 MiB has room for a hundred thousand. */
const MAX_ISSUES = 50;

/** zod's issues under pydantic's names, which tools for evaluation already know. */
export const issuesOf = (zodIssues: readonly Issue[], data: unknown, input: Input): InputIssue[] =>
  zodIssues
    .slice(0, MAX_ISSUES)
    .flatMap(issuesOfUnion)
    .flatMap((issue) =>
      issue.code === "unrecognized_keys" ? unknownFieldIssues(issue, data, input) : issueOf(issue, data, input),
    )
    .slice(0, MAX_ISSUES);

/** The issues of the alternative whose type fits; if none does, one that says all types. Others are left as they are. */
function issuesOfUnion(issue: Issue): Issue[] {
  const { code, path, errors = [] } = issue;
  if (code !== "invalid_union" || errors.length === 0) return [issue];
  const fitting = errors.find((issues) => issues.every((one) => one.path.length > 0));
  if (fitting) return fitting.flatMap((one) => issuesOfUnion({ ...one, path: [...path, ...one.path] }));
  const messages = errors.map(([first]) => first?.message ?? "");
  const types = messages.map((message) => message.replace(/^Invalid input: expected (.*?)(, received .*)?$/, "$1"));
  const received = /, received \w+$/.exec(messages.join())?.[0] ?? "";
  return [{ ...issue, message: `expected ${types.join(" or ").replace("record", "object")}${received}` }];
}

function issueOf(issue: Issue, data: unknown, { schema }: Input): InputIssue {
  const path = pathOf(issue);
  const input = valueAt(data, path);
  const code = codeOf(issue, input);
  const misplaced = code === "missing" ? misplacedNames(schema, path, valueAt(data, path.slice(0, -1))) : [];
  const hint = misplaced.length === 0 ? "" : `, an object with ${misplaced.join(" and ")} in it`;
  return { path, code, message: messageOf(issue, input) + hint, ...echoInput(path, input) };
}

const pathOf = ({ path }: Issue): (string | number)[] =>
  path.map((step) => (typeof step === "number" ? step : String(step)));

/** An issue for each unknown field of an object. */
function unknownFieldIssues(issue: Issue, data: unknown, { in: place, schema }: Input): InputIssue[] {
  const path = pathOf(issue);
  const kind = place === "query" ? "query parameter" : "field";
  return unknownFields(schema, path, (issue.keys ?? []).slice(0, MAX_ISSUES)).map((field) => {
    const nameAndMeaning = [field.name, field.nearest ?? ""];
    return {
      path: [...path, field.shownName],
      code: "extra_forbidden",
      message: unknownFieldMessage(kind, field),
      ...echoInput(nameAndMeaning, valueAt(data, [...path, field.name])),
    };
  });
}

const valueAt = (data: unknown, path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined),
    data,
  );

/** Fields that may hold a secret, also under a name that is not known. */
const SECRET = /token|ticket|secret|key|passw|credential|auth/i;

/** The answer repeats an invalid scalar, unless it may be a secret. */
const echoInput = (path: (string | number)[], input: unknown): { input?: unknown } =>
  path.length > 0 &&
  !path.some((step) => SECRET.test(String(step))) &&
  ["string", "number", "boolean"].includes(typeof input)
    ? { input: typeof input === "string" ? input.slice(0, 200) : input }
    : {};

const CODES: ReadonlyMap<string, string> = new Map([
  ["too_small", "too_short"],
  ["too_big", "too_long"],
  ["too_small string", "string_too_short"],
  ["too_big string", "string_too_long"],
  ["too_small number", "greater_than_equal"],
  ["too_big number", "less_than_equal"],
  ["invalid_value", "literal_error"],
  ["invalid_format", "string_pattern_mismatch"],
]);

function codeOf(issue: Issue, input: unknown): string {
  if (input === undefined && isMissing(issue)) return "missing";
  if (issue.code === "invalid_type") return `${String(issue.expected)}_type`;
  return CODES.get(`${issue.code} ${String(issue.origin)}`) ?? CODES.get(issue.code) ?? "value_error";
}

const messageOf = (issue: Issue, input: unknown): string =>
  input === undefined && isMissing(issue)
    ? "Field required"
    : issue.message.replace(/^Invalid input: /, "").replace(/, received NaN$/, "");

const isMissing = ({ code }: Issue): boolean =>
  code === "invalid_type" || code === "invalid_value" || code === "invalid_union";
