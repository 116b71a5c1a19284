/**
 * Counts replies: outcomes, times, tokens and cost. It keeps only numbers of each reply, so a log of any length can be
 * counted in one pass. Each dialect has its own names for the result. Pure.
 */
import { costOf, costOfReply, roundCost } from "./message.ts";
import type { ReplyDetail, SummaryRecord } from "./message.ts";

/** Milliseconds, by nearest rank: each value is a measured one. */
export interface Distribution {
  min: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
}

export interface ReplyStatistics {
  count: number;
  ok: number;
  cancelled: number;
  /** How often each error occurred, by its code. Cancelled replies are not errors. */
  errors: Record<string, number>;
  finishReasons: Record<string, number>;
  /** Of the replies with status `ok`; `null` if there are none. */
  durationMs: Distribution | null;
  /** Of the replies with status `ok` that have text. */
  ttftMs: Distribution | null;
  usage: { inputTokens: number; outputTokens: number };
  /** The cost of the replies whose usage and prices are known; `null` if there are none. */
  cost: number | null;
  /** How many replies the cost includes. */
  priced: number;
  attempts: number;
  /** Of the summaries that were made for replies; `null` if there are none. */
  summaries: SummaryStatistics | null;
}

export interface SummaryStatistics {
  count: number;
  /** Those that could not be made, or not for all that they should cover. */
  failed: number;
  usage: { inputTokens: number; outputTokens: number };
  /** The cost of those whose usage and prices are known; `null` if there are none. */
  cost: number | null;
}

export class ReplyCounter {
  readonly #statuses = { ok: 0, error: 0, cancelled: 0 };
  readonly #errors = new Map<string, number>();
  readonly #finishReasons = new Map<string, number>();
  readonly #durations: number[] = [];
  readonly #firstTexts: number[] = [];
  readonly #usage = { inputTokens: 0, outputTokens: 0 };
  #attempts = 0;
  #cost = 0;
  #pricedReplies = 0;
  #summaries: SummaryStatistics | null = null;

  add(reply: ReplyDetail): void {
    this.#statuses[reply.status] += 1;
    this.#attempts += reply.attempts;
    increment(this.#finishReasons, reply.finishReason);
    if (reply.status === "error" && reply.error) increment(this.#errors, reply.error.code);
    if (reply.status === "ok" && reply.durationMs !== null) this.#durations.push(reply.durationMs);
    if (reply.status === "ok" && reply.ttftMs !== null) this.#firstTexts.push(reply.ttftMs);
    this.#addUsage(reply);
    if (reply.context?.summary) this.#addSummary(reply.context.summary);
  }

  #addSummary({ upTo, error, usage, prices }: SummaryRecord): void {
    const before = this.#summaries ?? { count: 0, failed: 0, usage: { inputTokens: 0, outputTokens: 0 }, cost: null };
    const cost = costOf(usage, prices);
    this.#summaries = {
      count: before.count + (upTo > 0 ? 1 : 0),
      failed: before.failed + (error ? 1 : 0),
      usage: {
        inputTokens: before.usage.inputTokens + (usage?.inputTokens ?? 0),
        outputTokens: before.usage.outputTokens + (usage?.outputTokens ?? 0),
      },
      cost: cost === null ? before.cost : roundCost((before.cost ?? 0) + cost),
    };
  }

  #addUsage(reply: ReplyDetail): void {
    this.#usage.inputTokens += reply.usage?.inputTokens ?? 0;
    this.#usage.outputTokens += reply.usage?.outputTokens ?? 0;
    const cost = costOfReply(reply);
    if (cost === null) return;
    this.#cost += cost;
    this.#pricedReplies += 1;
  }

  get statistics(): ReplyStatistics {
    const { ok, error, cancelled } = this.#statuses;
    return {
      count: ok + error + cancelled,
      ok,
      cancelled,
      errors: Object.fromEntries(this.#errors),
      finishReasons: Object.fromEntries(this.#finishReasons),
      durationMs: distributionOf(this.#durations),
      ttftMs: distributionOf(this.#firstTexts),
      usage: { ...this.#usage },
      cost: this.#pricedReplies === 0 ? null : roundCost(this.#cost),
      priced: this.#pricedReplies,
      attempts: this.#attempts,
      summaries: this.#summaries,
    };
  }
}

const increment = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

function distributionOf(times: number[]): Distribution | null {
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  if (sorted.length === 0) return null;
  return { min: rank(0), p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max: rank(100) };
}
