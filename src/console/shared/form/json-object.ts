/** A JSON object as text in a form. Pure. */

export const jsonText = (value: Record<string, unknown> | undefined): string =>
  value === undefined || Object.keys(value).length === 0 ? "" : JSON.stringify(value, null, 2);

/**
 * @param name of the field, as the form has it
 * @returns `null` if the text is empty
 * @throws if it is no JSON object, in words for who wrote it
 */
export function readJsonObject(name: string, text: string, example: string): Record<string, unknown> | null {
  if (text.trim() === "") return null;
  const value = parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${name}: this is not a JSON object. One looks like this: ${example}`);
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
