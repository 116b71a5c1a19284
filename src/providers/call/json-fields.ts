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

/** A token count: a number or the text of one, rounded; `null` for anything else. */
export function countOf(value: unknown): number | null {
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof count === "number" && Number.isFinite(count) && count >= 0 ? Math.round(count) : null;
}
