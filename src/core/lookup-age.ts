/**
 * How long the answer of a lookup in D1 is used that decides who may do what: an API key, or the client of a session.
 * One rule for all of them, so that a revocation has one limit. Pure.
 */
import type { EpochMs } from "./time.ts";

/** At this age an answer is looked up again in the background, in milliseconds. */
const REFRESH_AGE_MS = 15_000;

/** At this age a call waits for the lookup, in milliseconds. A revocation reaches other isolates within this time. */
const MAX_AGE_MS = 30_000;

/** The longest that a call waits for a lookup, in milliseconds. */
export const LOOKUP_TIMEOUT_MS = 2_000;

/** Until this age an answer counts while it cannot be looked up again, in milliseconds. */
const MAX_AGE_WITHOUT_LOOKUP_MS = 300_000;

/** For so long after a failed lookup no call waits for the next one, in milliseconds. */
const PAUSE_AFTER_FAILURE_MS = 10_000;

/** The times of an answer in memory. */
export interface Lookup {
  /** When the lookup began that gave the answer. */
  readAt: EpochMs;
  /** When the last lookup began. */
  lookedUpAt: EpochMs;
  /** When the last lookup began that failed or took too long. */
  failedAt: EpochMs;
}

/** The times of an answer that has just been given. */
export const newLookup = (at: EpochMs): Lookup => ({ readAt: at, lookedUpAt: at, failedAt: -Infinity });

/** Whether a call uses an answer without waiting for a lookup. While lookups fail, an older one too. */
export const isUsable = ({ readAt, failedAt }: Lookup, at: EpochMs): boolean =>
  at - readAt < (at - failedAt < PAUSE_AFTER_FAILURE_MS ? MAX_AGE_WITHOUT_LOOKUP_MS : MAX_AGE_MS);

/** Whether to look up an answer again in the background. */
export const isRefreshDue = ({ readAt, lookedUpAt }: Lookup, at: EpochMs): boolean =>
  at - readAt >= REFRESH_AGE_MS && at - lookedUpAt >= LOOKUP_TIMEOUT_MS;
