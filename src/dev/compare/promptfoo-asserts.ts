/**
 * What promptfoo asserts, as an expectation of a run. https://www.promptfoo.dev/docs/configuration/expected-outputs/. No effects.
 */
import { NotTaken, mapAll } from "./found-items.ts";
import type { Item, Path } from "./found-items.ts";

type Expect = NonNullable<Item["expect"]>;
type Kind = keyof Expect;

interface Assertion {
  fields: Readonly<Record<string, unknown>>;
  path: Path;
}

/** Text in a regular expression. */
const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

const anyOf = (texts: string[]): string => `(?:${texts.map(escape).join("|")})`;

/** How each type becomes what the server judges by. Types that are not here cannot. */
const TYPES: Readonly<Record<string, (texts: string[]) => [Kind, string] | null>> = {
  contains: ([text = ""]) => ["contains", text],
  "not-contains": ([text = ""]) => ["not_contains", text],
  equals: ([text = ""]) => ["equals", text],
  regex: ([text = ""]) => ["regex", text],
  icontains: ([text = ""]) => ["regex", `(?i)${escape(text)}`],
  "starts-with": ([text = ""]) => ["regex", `^${escape(text)}`],
  "contains-any": (texts) => ["regex", anyOf(texts)],
  "icontains-any": (texts) => ["regex", `(?i)${anyOf(texts)}`],
  "contains-all": ([text = "", ...others]) => (others.length === 0 ? ["contains", text] : null),
};

const LISTS = ["contains-any", "icontains-any", "contains-all"];

/** @param render puts variables in @returns `null` without assertions @throws {@link NotTaken} */
export function expectationOf(asserts: Assertion[], render: (text: string, path: Path) => string): Expect | null {
  const expect: Expect = {};
  mapAll(asserts, ({ fields, path }) => {
    const other = Object.keys(fields).find((name) => !["type", "value", "metric"].includes(name));
    if (other !== undefined) throw new NotTaken([...path, other], `${other} of an assert is not supported`);
    const type = String(fields["type"]);
    const toExpected = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
    if (!toExpected)
      throw new NotTaken(path, `assert ${type} is not supported: there are ${Object.keys(TYPES).join(", ")}`);
    const texts = textsOf(fields["value"], type, path).map((text) => render(text, path));
    const expected = toExpected(texts);
    if (!expected) throw new NotTaken(path, `assert ${type} with several values is not supported`);
    const [kind, text] = expected;
    if (expect[kind] !== undefined)
      throw new NotTaken(path, `assert ${type} is one too many: an item has one ${kind}, and there is one already`);
    expect[kind] = text;
  });
  return Object.keys(expect).length === 0 ? null : expect;
}

function textsOf(value: unknown, type: string, path: Path): string[] {
  if (LISTS.includes(type) && !Array.isArray(value))
    throw new NotTaken(path, `the value of assert ${type} must be a list`);
  const values: unknown[] = Array.isArray(value) && LISTS.includes(type) ? value : [value];
  return values.map((one) => {
    if (typeof one === "string" && !one.startsWith("file://")) return one;
    if (typeof one === "number") return String(one);
    throw new NotTaken(path, `the value of assert ${type} must be a text in this file`);
  });
}
