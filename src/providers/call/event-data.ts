/**
 * Parses the data of a provider's events: JSON with the digits of numbers that are texts, events inside an event, and texts that
 * only keep a connection open. Pure.
 */

/** Data without content: `null`, a comment that a gateway passes on as data, a sign of life. */
export const KEEP_ALIVE = /^(null|:.*|\[?(ping|heartbeat|keep-?alive)\]?)?$/is;

/** A field whose text may have been sent as a number. */
const NUMBER_AS_TEXT = /"(?:content|response|text)"\s*:\s*-?\d/;

/**
 * `undefined` for a text that is not JSON. A number in the place of a text keeps its digits: Workers AI sends a token that
 * looks like a number as one. https://github.com/cloudflare/ai/issues/651
 */
export function parseJson(text: string): unknown {
  try {
    return NUMBER_AS_TEXT.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keepDigits(key: string, value: unknown, context?: { source?: string }): unknown {
  const isText = key === "content" || key === "response" || key === "text";
  return isText && typeof value === "number" ? (context?.source ?? value) : value;
}

/**
 * The events inside an event: the lines of a text of which each is a document by itself, because a gateway left out the blank
 * lines, or the text of a document that was encoded twice. None for any other event.
 */
export function innerTexts(json: unknown, text: string): string[] {
  if (typeof json === "string") return [json];
  if (json !== undefined) return [];
  const lines = text.split("\n").map((line) => line.trim());
  const isEvent = (line: string) => line === "[DONE]" || KEEP_ALIVE.test(line) || parseJson(line) !== undefined;
  return lines.length > 1 && lines.every(isEvent) ? lines : [];
}
