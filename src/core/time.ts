/**
 * Time: the only clock of the program, and reading and writing of timestamps. Other code takes the time as a number.
 * Effects: reads the clock in `now`, and keeps date formatters in memory.
 */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** The only clock. The linter forbids `Date.now` elsewhere. */
export const now = (): EpochMs => Date.now();

/** The last second that was formatted, and its text up to the milliseconds. */
let formattedSecond = { start: NaN, text: "" };

/**
 * `2026-03-01T09:30:00.000Z`. Formats a second only once: an answer has a thousand times, many of one second, and
 * `toISOString` takes ten times as long for each.
 */
export function isoTime(at: EpochMs): string {
  const whole = Math.trunc(at);
  const milliseconds = ((whole % 1_000) + 1_000) % 1_000;
  const start = whole - milliseconds;
  if (start !== formattedSecond.start) formattedSecond = { start, text: `${isoSecond(whole)}.` };
  return `${formattedSecond.text}${milliseconds < 100 ? "0" : ""}${twoDigits(milliseconds)}Z`;
}

/** The last day that was formatted, and its text up to the `T`. */
let formattedDay = { start: NaN, text: "" };

/** `2026-03-01T09:30:00`: without the milliseconds. */
function isoSecond(at: EpochMs): string {
  const ofDay = ((at % DAY_MS) + DAY_MS) % DAY_MS;
  const start = at - ofDay;
  if (start !== formattedDay.start) formattedDay = { start, text: new Date(at).toISOString().slice(0, -TIME_LENGTH) };
  const [hours, minutes, seconds] = [ofDay / 3_600_000, (ofDay / 60_000) % 60, (ofDay / 1_000) % 60];
  return `${formattedDay.text}${twoDigits(Math.floor(hours))}:${twoDigits(Math.floor(minutes))}:${twoDigits(Math.floor(seconds))}`;
}

const TIME_LENGTH = "09:30:00.000Z".length;

const twoDigits = (number: number): string => (number < 10 ? `0${number}` : String(number));

/** What {@link parseTime} reads, in its form. The OpenAPI document has it: without flags, which JSON Schema does not have. */
export const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * Parses an ISO 8601 date or date-time. A time without an offset is UTC. A bare date is its first instant in UTC.
 *
 * @returns `null` for anything else, also for days that do not exist (30 February)
 */
export function parseTime(text: string): EpochMs | null {
  const parts = ISO_8601.exec(text.trim());
  if (!parts) return null;
  const midnight = dayOf(parts.slice(1, 4).map(Number));
  const sinceMidnight = timeOfDay(parts.slice(4, 7).map((part: string | undefined) => Number(part ?? 0)));
  const offset = offsetMinutes(parts[8] ?? "Z");
  if (midnight === null || sinceMidnight === null || offset === null) return null;
  const milliseconds = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000);
  const at = midnight + sinceMidnight + milliseconds - offset * 60_000;
  return at > LAST_MS ? null : at;
}

/** The last instant with a four-digit year. Later ones have no usual form, and far later ones no form at all. */
export const LAST_MS = Date.UTC(10_000, 0, 1) - 1;

function dayOf([year = 0, month = 0, day = 0]: number[]): EpochMs | null {
  // JavaScript reads a year of one or two digits as 19xx.
  if (year < 100) return null;
  const midnight = Date.UTC(year, month - 1, day);
  const date = new Date(midnight);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? midnight : null;
}

function timeOfDay([hour = 0, minute = 0, second = 0]: number[]): number | null {
  return hour < 24 && minute < 60 && second < 60 ? ((hour * 60 + minute) * 60 + second) * 1000 : null;
}

function offsetMinutes(offset: string): number | null {
  if (offset.toUpperCase() === "Z") return 0;
  const digits = offset.slice(1).replace(":", "").padEnd(4, "0");
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2));
  if (hours > 23 || minutes > 59) return null;
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Whether a text that {@link parseTime} accepts is a date without a time. */
export const isBareDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text.trim());

/** The longest delay of `setTimeout`, in milliseconds. A timer with a longer delay fires at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Milliseconds in a day. */
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

interface WallClock {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The last time that was read from a clock. The records of one prompt all have the same. */
let lastRead: { at: EpochMs; zone: string; clock: WallClock } | null = null;

function wallClock(at: EpochMs, zone: string): WallClock {
  if (lastRead?.at === at && lastRead.zone === zone) return lastRead.clock;
  const clock = readClock(at, zone);
  lastRead = { at, zone, clock };
  return clock;
}

function readClock(at: EpochMs, zone: string): WallClock {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
  return parts as unknown as WallClock;
}

/** Whether a text is the name of a time zone that the platform knows. */
export function isZone(zone: string): boolean {
  try {
    return wallClock(0, zone).year !== "";
  } catch {
    return false;
  }
}

/** `20240315-043147`: Moonshot's timestamp, in an IANA time zone. */
export function zonedStamp(at: EpochMs, zone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(at, zone);
  return `${year}${month}${day}-${hour}${minute}${second}`;
}

/** `2024-03-15 04:42:02`, in an IANA time zone. */
export function zonedTime(at: EpochMs, zone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(at, zone);
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** `03/15/2024, 04:42:02`: Moonshot's `prompt_time`, in an IANA time zone. */
export function zonedPromptTime(at: EpochMs, zone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(at, zone);
  return `${month}/${day}/${year}, ${hour}:${minute}:${second}`;
}
