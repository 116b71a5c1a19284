/**
 * Ids: creates and parses ids in the form of a MongoDB ObjectId, and random hex. Uses the random generator of the
 * platform and one counter in memory; takes the time as an argument.
 */
import type { EpochMs } from "./time.ts";

const OBJECT_ID = /^[0-9a-f]{24}$/i;

let lastMs = 0;
let sequence = 0;

/**
 * Creates an id in the form of a MongoDB ObjectId: 24 lower-case hex digits. The first eight are the second of
 * creation, the next three the millisecond, and the next three a counter within the millisecond. So ids sort by
 * creation.
 */
export function newObjectId(at: EpochMs): string {
  sequence = at === lastMs ? (sequence + 1) & 0xfff : 0;
  lastMs = at;
  const seconds = hex(Math.floor(at / 1000), 8);
  return seconds + hex(at % 1000, 3) + hex(sequence, 3) + randomHex(5);
}

/** When an id was created, to the second. */
export const timeOfObjectId = (id: string): EpochMs => Number.parseInt(id.slice(0, 8), 16) * 1000;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits);

/** Cryptographically random bytes, as lower-case hex. */
export function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => hex(byte, 2)).join("");
}

/** The id in lower case; `null` if the text is not an ObjectId. */
export const asObjectId = (text: string): string | null => (OBJECT_ID.test(text) ? text.toLowerCase() : null);
