/**
 * Reads single fields of JSON that a provider sent. Each is looked at by itself, so that a strange value costs its field
 * and not the answer. Pure.
 */

export type JsonObject = Record<string, unknown>;

/** An object's fields; none for anything else. PHP writes an empty object as `[]`. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** A text that says something, or `null`. Some servers send numbers for ids. */
export function stringOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** A count of tokens: a number, rounded, or the text of one; `null` for anything else. */
export function countOf(value: unknown): number | null {
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof count === "number" && Number.isFinite(count) && count >= 0 ? Math.round(count) : null;
}
