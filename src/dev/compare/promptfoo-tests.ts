/**
 * Makes items of a promptfoo configuration: each prompt with the variables of each test. What would be judged otherwise than
 * promptfoo does is refused by name. https://www.promptfoo.dev/docs/configuration/reference/. No effects.
 */
import { expectationOf } from "./promptfoo-asserts.ts";
import { NotTaken, checkAll, fieldOf, mapAll } from "./found-items.ts";
import type { FoundItems, Path } from "./found-items.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Means nothing to what is asked and judged. */
const UNUSED = [
  "description",
  "tags",
  "metadata",
  "env",
  "outputPath",
  "sharing",
  "evaluateOptions",
  "commandLineOptions",
];
const UNUSED_ENDPOINTS = ["providers", "targets"];
const USED = ["prompts", "tests", "defaultTest"];
const OF_TEST = ["description", "vars", "assert", "metadata"];

/** promptfoo reads such a prompt from the file. */
const FILE_NAME = /^\S+\.(?:txt|md|jsonl?|ya?ml|csv|j2|[cm]?[jt]s|py)$/;

export const isPromptfoo = (value: unknown): value is Fields => fieldOf(value, "tests") !== undefined;

/** @throws {@link NotTaken} */
export function promptfooItems(config: Fields): FoundItems {
  const shared = fieldsOf(config["defaultTest"] ?? {}, ["defaultTest"]);
  const tests = listOf(config["tests"], ["tests"]);
  checkAll(
    () => requireKnown(config, [...USED, ...UNUSED, ...UNUSED_ENDPOINTS], []),
    () => promptsOf(config),
    () => requireKnown(shared, OF_TEST, ["defaultTest"]),
    () => mapAll(tests, (test, index) => readTest(test, ["tests", index], shared)),
  );
  const prompts = promptsOf(config);
  const found = mapAll(tests, (test, index) => {
    const path = ["tests", index];
    const { vars, expect } = readTest(test, path, shared);
    return mapAll(prompts, (prompt, number) => ({
      item: { prompt: render(prompt, vars, ["prompts", number]), ...(expect ? { expect } : {}) },
      path,
    }));
  }).flat();
  const unused = UNUSED_ENDPOINTS.filter((name) => name in config);
  return { found, remarks: unused.map((name) => `${name} are not used: --endpoints names what is asked.`) };
}

const promptsOf = (config: Fields): string[] =>
  mapAll(listOf(config["prompts"], ["prompts"]), (prompt, index) => promptText(prompt, ["prompts", index]));

function readTest(value: unknown, path: Path, shared: Fields) {
  const test = fieldsOf(value, path);
  const sources: [Fields, Path][] = [
    [shared, ["defaultTest"]],
    [test, path],
  ];
  const assertsOfAll = () => mapAll(sources, (source) => assertsOf(...source)).flat();
  checkAll(
    () => requireKnown(test, OF_TEST, path),
    () => mapAll(sources, (source) => varsOf(...source)),
    () => expectationOf(assertsOfAll(), (text) => text),
  );
  const vars: Record<string, string> = Object.assign({}, ...sources.map((source) => varsOf(...source)));
  return { vars, expect: expectationOf(assertsOfAll(), (text, at) => render(text, vars, at)) };
}

function requireKnown(fields: Fields, known: readonly string[], path: Path): void {
  mapAll(Object.keys(fields), (name) => {
    if (!known.includes(name)) throw new NotTaken([...path, name], `${name} is not supported`);
  });
}

function listOf(value: unknown, path: Path): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string" && !value.includes("://")) return [value];
  throw new NotTaken(path, `${path.at(-1)} must be a list, in this file`);
}

function fieldsOf(value: unknown, path: Path): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new NotTaken(path, `${path.join(".")} must have fields, in this file`);
}

function promptText(prompt: unknown, path: Path): string {
  const text = typeof prompt === "string" ? prompt : fieldOf(prompt, "raw");
  if (typeof text !== "string" || text.startsWith("file://") || FILE_NAME.test(text))
    throw new NotTaken(path, "a prompt must be a text in this file");
  return text;
}

function varsOf(test: Fields, path: Path): Record<string, string> {
  const at = [...path, "vars"];
  const vars = Object.entries(fieldsOf(test["vars"] ?? {}, at));
  return Object.fromEntries(mapAll(vars, ([name, value]) => [name, textOf(value, [...at, name])]));
}

function textOf(value: unknown, path: Path): string {
  const isText = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  if (!isText || String(value).startsWith("file://"))
    throw new NotTaken(path, `${path.at(-1)} must be a text or a number in this file`);
  return String(value);
}

const assertsOf = (test: Fields, path: Path) =>
  mapAll(listOf(test["assert"] ?? [], [...path, "assert"]), (assertion, index) => {
    const at = [...path, "assert", index];
    return { fields: fieldsOf(assertion, at), path: at };
  });

/** Puts variables in place of `{{name}}`. Anything else between braces is code of promptfoo's template language. */
function render(template: string, vars: Readonly<Record<string, string>>, path: Path): string {
  if (/\{[%#]/.test(template)) throw new NotTaken(path, "{% and {# are not supported: only {{name}} is");
  return template.replace(/\{\{(.*?)\}\}/gs, (_, inside: string) => {
    const name = inside.trim();
    const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
    if (value === undefined) throw new NotTaken(path, `{{${inside}}} is not the name of a variable of the test`);
    return value;
  });
}
