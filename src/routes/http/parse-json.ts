/** Reads JSON that a caller sent. Pure. */

/** How many levels a body may be nested. */
const MAX_DEPTH = 32;

/** Thrown when JSON is nested too deep. The message follows the name of what was read. */
export class TooDeep extends Error {
  constructor() {
    super(`is nested deeper than ${MAX_DEPTH} levels`);
  }
}

/**
 * Parses JSON, and replaces lone surrogates: storage would replace them later, and make different texts one.
 *
 * @throws {SyntaxError} if it is no JSON. @throws {TooDeep}
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeper(value, MAX_DEPTH)) throw new TooDeep();
  return hasLoneSurrogate(text) ? toWellFormed(value) : value;
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** Whether the text of JSON has more values, without parsing it: each takes many times its text in memory, and time. */
export function hasMoreValues(text: string, most: number): boolean {
  let values = 1;
  let isInString = false;
  for (let index = 0; index < text.length && values <= most; index++) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) isInString = !isInString;
    else if (isInString && unit === BACKSLASH) index += 1;
    else if (!isInString && (unit === COMMA || unit === BRACKET || unit === BRACE)) values += 1;
  }
  return values > most;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Decoding UTF-8 replaces lone surrogates, so in JSON text only an escape can contain one. */
const hasLoneSurrogate = (text: string): boolean => /\\u[dD][89a-fA-F]/.test(text);

function toWellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(toWellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), toWellFormed(inner)]));
}
