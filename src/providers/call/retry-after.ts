/**
 * Reads how long a provider asks callers to wait, in milliseconds. Implausible values are ignored: a wait guessed from
 * one would be too short or endless. Effects: reads the clock, for dates.
 */
import { now } from "../../core/time.ts";
import { isObject, listOf, objectOf, stringOf } from "./json-fields.ts";
import type { JsonObject } from "./json-fields.ts";

/** The longest plausible wait: a week. */
const MAX_RETRY_AFTER_MS = 604_800_000;

/** `retry-after-ms`, or `Retry-After` as seconds or as a date in one of the three forms of RFC 9110, 5.6.7 and 10.2.3. */
export function retryAfterMs(headers: Headers): number | null {
  const milliseconds = ifPlausible(parseDecimal(headers.get("retry-after-ms")));
  if (milliseconds !== null) return milliseconds;
  const text = headers.get("retry-after")?.trim() ?? "";
  const seconds = parseDecimal(text);
  if (seconds !== null) return ifPlausible(seconds * 1000);
  const at = HTTP_DATE.test(text) ? Date.parse(text.endsWith("GMT") ? text : `${text} GMT`) : NaN;
  return Number.isNaN(at) ? null : ifPlausible(Math.max(0, at - now()));
}

/** IMF-fixdate, the RFC 850 form, and asctime. */
const HTTP_DATE =
  /^([A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;

/** Google's `RetryInfo` in the details of an error. https://cloud.google.com/apis/design/errors#retry_info */
export function retryInfoMs(error: JsonObject): number | null {
  const info = listOf(error["details"])
    .filter(isObject)
    .find((detail) => detail["retryDelay"] != null);
  const delay = info?.["retryDelay"];
  if (typeof delay === "string") {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1];
    return seconds === undefined ? null : ifPlausible(Number(seconds) * 1000);
  }
  const { seconds, nanos } = objectOf(delay);
  const wholeSeconds = parseDecimal(stringOf(seconds) ?? "0");
  return isObject(delay) && wholeSeconds !== null
    ? ifPlausible(wholeSeconds * 1000 + Number(nanos ?? 0) / 1_000_000)
    : null;
}

const parseDecimal = (text: string | null): number | null =>
  text !== null && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null;

const ifPlausible = (milliseconds: number | null): number | null =>
  milliseconds !== null && milliseconds <= MAX_RETRY_AFTER_MS ? Math.ceil(milliseconds) : null;
