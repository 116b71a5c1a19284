/**
 * Names in a caller's input that nothing reads. They are refused: a typing error that is ignored looks like a call that
 * worked, and a filter that is ignored finds everything. How a refusal looks does not belong here. Pure.
 */
import type * as z from "zod";

/** How much of an unknown name to repeat in an answer, in characters. */
const MAX_NAME_CHARACTERS = 100;

/** The longest name to compare with known ones, in characters: the time to compare grows with the length. */
const MAX_COMPARED_CHARACTERS = 40;

/** The shortest name that counts as a part of another one: `name` in `chatbotName`. */
const MIN_PART_CHARACTERS = 4;

/** A field that a schema does not know. */
export interface UnknownField {
  /** The name as the caller sent it. */
  name: string;
  /** The name cut to a length that an answer can repeat. */
  shownName: string;
  /** The known name that the caller probably meant. */
  nearest: string | null;
}

/**
 * Explains zod's issue `unrecognized_keys`.
 *
 * @param path of the object in the input
 */
export function unknownFields(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
  names: readonly string[],
): UnknownField[] {
  const known = fieldNamesAt(schema, path);
  return names.map((name) => {
    const nearest = nearestName(name, known) ?? nestedName(schema, path, name);
    return { name, shownName: shorten(name), nearest };
  });
}

/** The dotted path of a name that belongs into a field of the object: `message.role` for `role`. */
function nestedName(schema: z.core.$ZodType, path: readonly PropertyKey[], name: string): string | null {
  const parent = fieldNamesAt(schema, path).find((field) => fieldNamesAt(schema, [...path, field]).includes(name));
  return parent === undefined ? null : `${parent}.${name}`;
}

/** The names that a missing object should have and that the object around it has instead. */
export const misplacedNames = (schema: z.core.$ZodType, path: readonly PropertyKey[], around: unknown): string[] =>
  typeof around === "object" && around !== null
    ? fieldNamesAt(schema, path).filter(
        (name) => Object.hasOwn(around, name) && !fieldNamesAt(schema, path.slice(0, -1)).includes(name),
      )
    : [];

/** The message to the caller. @param kind what the name was taken for */
export const unknownFieldMessage = (kind: "field" | "query parameter", { nearest }: UnknownField): string =>
  nearest === null ? `unknown ${kind}` : `unknown ${kind}, did you mean "${nearest}"?`;

const shorten = (name: string): string =>
  name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS - 1).toWellFormed()}…` : name;

/** The names of the fields that a schema has at a path. Of a union, those of all its options. */
function fieldNamesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") {
    const [step, ...rest] = path;
    if (step === undefined) return Object.keys(def.shape);
    const field = Object.entries(def.shape).find(([name]) => name === step)?.[1];
    return field ? fieldNamesAt(field, rest) : [];
  }
  if (def.type === "array") return fieldNamesAt(def.element, path.slice(1));
  if (def.type === "union") return def.options.flatMap((option) => fieldNamesAt(option, path));
  if (def.type === "pipe") return fieldNamesAt(def.in, path);
  return "innerType" in def ? fieldNamesAt(def.innerType, path) : [];
}

/**
 * The known name that is most like a name: at most one letter in three differs, or one contains the other. Letter case,
 * `_` and `-` do not count, because the dialects differ in them.
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  const sent = plain(name);
  if (sent.length > MAX_COMPARED_CHARACTERS) return null;
  const near = known
    .map((candidate) => ({ candidate, length: candidate.length, distance: editDistance(sent, plain(candidate)) }))
    .filter(({ length, distance }) => distance * 3 <= Math.max(length, sent.length))
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? known.find((candidate) => containsOther(sent, plain(candidate))) ?? null;
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, "");

const containsOther = (a: string, b: string): boolean =>
  Math.min(a.length, b.length) >= MIN_PART_CHARACTERS && (a.includes(b) || b.includes(a));

/**
 * How many letters to insert, delete, replace or swap with their neighbour to make one word of the other (optimal string
 * alignment).
 */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const swaps = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && i > 1 && j > 1;
      row[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swaps ? at(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}
