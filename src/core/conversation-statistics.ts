/**
 * Statistics of all sessions of a chatbot or a client, added up from what D1 counts day by day. Those of one session are in
 * `reply-statistics.ts`; the words are the same. Pure.
 */
import type { Distribution } from "./reply-statistics.ts";
import { roundCost } from "./message.ts";
import { DAY_MS } from "./time.ts";
import type { EpochMs } from "./time.ts";

/** Whose sessions. */
export type StatisticsScope = "chatbot" | "client";

export interface ConversationStatistics {
  sessions: number;
  turns: number;
  /** Messages with text. */
  messages: number;
  ok: number;
  cancelled: number;
  /** How often each error occurred, by its code. Cancelled replies are not errors. */
  errors: Record<string, number>;
  /** Of the replies with status `ok`; `null` if there are none. */
  durationMs: Distribution | null;
  /** Of the replies with status `ok` that have text. */
  ttftMs: Distribution | null;
  usage: { inputTokens: number; outputTokens: number };
  /** The cost of the replies whose usage and prices are known; `null` if there are none. */
  cost: number | null;
  ratings: { up: number; down: number };
  takeovers: number;
}

/** Days, as numbers since 1970 (UTC). Both are included. */
export interface DayRange {
  first: number;
  last: number;
}

/** The day of a time. */
export const dayOf = (at: EpochMs): number => Math.floor(at / DAY_MS);

/** The sums of some days. Their names are those of the columns. */
export interface StatisticsSums {
  sessions: number;
  turns: number;
  messages: number;
  ok: number;
  cancelled: number;
  inputTokens: number;
  outputTokens: number;
  cost: number | null;
  ratedUp: number;
  ratedDown: number;
  takeovers: number;
  durationMin: number | null;
  durationMax: number | null;
  firstTextMin: number | null;
  firstTextMax: number | null;
}

/** How often something was counted: `key` is the code of an error, or the bucket of a time. */
export interface StatisticsCount {
  kind: "error" | "duration" | "firstText";
  key: string;
  count: number;
}

export function toConversationStatistics(sums: StatisticsSums, counts: StatisticsCount[]): ConversationStatistics {
  const { sessions, turns, messages, ok, cancelled, takeovers, inputTokens, outputTokens, cost } = sums;
  const countsOf = (wanted: StatisticsCount["kind"]) =>
    counts.flatMap(({ kind, key, count }): [string, number][] => (kind === wanted ? [[key, count]] : []));
  return {
    sessions,
    turns,
    messages,
    ok,
    cancelled,
    errors: Object.fromEntries(countsOf("error")),
    durationMs: distributionOf(countsOf("duration"), sums.durationMin, sums.durationMax),
    ttftMs: distributionOf(countsOf("firstText"), sums.firstTextMin, sums.firstTextMax),
    usage: { inputTokens, outputTokens },
    cost: cost === null ? null : roundCost(cost),
    ratings: { up: sums.ratedUp, down: sums.ratedDown },
    takeovers,
  };
}

/** A bucket ends 2 % after its start, so that its middle is within 1 % of all times in it. */
const BUCKETS_PER_E = 50;

/** The middle of a bucket, in milliseconds. The trigger `message_counted` has the reverse of it. */
const timeOf = (bucket: string): number => Math.round(Math.exp(Number(bucket) / BUCKETS_PER_E));

/** Percentiles by nearest rank, each to within 1 %. The shortest and the longest time are exact. */
function distributionOf(buckets: [string, number][], min: number | null, max: number | null): Distribution | null {
  if (min === null || max === null) return null;
  const times = buckets
    .map(([bucket, count]) => ({ ms: Math.min(max, Math.max(min, timeOf(bucket))), count }))
    .toSorted((a, b) => a.ms - b.ms);
  const total = times.reduce((sum, { count }) => sum + count, 0);
  const rank = (percent: number): number => {
    let left = Math.max(1, Math.ceil((percent / 100) * total));
    return times.find(({ count }) => (left -= count) <= 0)?.ms ?? max;
  };
  return { min, p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max };
}
