/**
 * Reads single fields of JSON from a provider. Each field is read on its own, so that an unexpected value loses one
 * field and not the response. Pure.
 */

export type JsonObject = Record<string, unknown>;

/** The fields of an object; none for anything else. PHP encodes an empty object as `[]`. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A text that is not empty, or `null`. Some servers send ids as numbers. */
export function stringOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** A token count: a number or the text of one, rounded; `null` for anything else, and for more than any count can be. */
export function countOf(value: unknown): number | null {
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof count === "number" && count >= 0 && count <= Number.MAX_SAFE_INTEGER ? Math.round(count) : null;
}

/** Names of fields in which formats have the text of a reply. */
const TEXT_FIELDS =
  /^(content|text|transcript|parts?|messages?|delta|output|output_text|answer|words|response|audio)$/i;

/** How deep a text is searched for. */
const MAX_SEARCH_DEPTH = 6;

/** Whether a text stands in a place where formats have the text of a reply. */
export function hasText(value: unknown, depth = 0): boolean {
  if (depth > MAX_SEARCH_DEPTH) return false;
  if (Array.isArray(value)) return value.some((item) => hasText(item, depth + 1));
  return Object.entries(objectOf(value)).some(([field, inner]) =>
    TEXT_FIELDS.test(field) && typeof inner === "string" ? inner !== "" : hasText(inner, depth + 1),
  );
}
