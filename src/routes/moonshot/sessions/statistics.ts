/**
 * Counts the replies of a comparison session: outcomes, times, tokens and cost, for each chat and in total. Reads the
 * log once and keeps only numbers of each reply.
 */
import type * as z from "zod";
import { costOf, roundCost } from "../../../core/message.ts";
import type { Message, ReplyDetail } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type * as schemas from "./result-schemas.ts";

type Statistics = z.output<typeof schemas.ReplyStatistics>;

class ReplyCounter {
  readonly #statuses = { ok: 0, error: 0, cancelled: 0 };
  readonly #errors = new Map<string, number>();
  readonly #finishReasons = new Map<string, number>();
  readonly #durations: number[] = [];
  readonly #firstTexts: number[] = [];
  readonly #usage = { input_tokens: 0, output_tokens: 0 };
  #attempts = 0;
  #cost = 0;
  #pricedReplies = 0;

  add(reply: ReplyDetail): void {
    this.#statuses[reply.status] += 1;
    this.#attempts += reply.attempts;
    increment(this.#finishReasons, reply.finishReason);
    if (reply.status === "error" && reply.error) increment(this.#errors, reply.error.code);
    if (reply.status === "ok") this.#durations.push(reply.durationMs);
    if (reply.status === "ok" && reply.ttftMs !== null) this.#firstTexts.push(reply.ttftMs);
    this.#addUsage(reply);
  }

  #addUsage({ usage, receipt }: ReplyDetail): void {
    this.#usage.input_tokens += usage?.inputTokens ?? 0;
    this.#usage.output_tokens += usage?.outputTokens ?? 0;
    const cost = costOf(usage, receipt?.prices ?? null);
    if (cost === null) return;
    this.#cost += cost;
    this.#pricedReplies += 1;
  }

  present(): Statistics {
    const { ok, error, cancelled } = this.#statuses;
    return {
      count: ok + error + cancelled,
      ok,
      cancelled,
      errors: Object.fromEntries(this.#errors),
      finish_reasons: Object.fromEntries(this.#finishReasons),
      duration_ms: distributionOf(this.#durations),
      ttft_ms: distributionOf(this.#firstTexts),
      usage: { ...this.#usage },
      cost: this.#pricedReplies === 0 ? null : roundCost(this.#cost),
      priced: this.#pricedReplies,
      attempts: this.#attempts,
    };
  }
}

const increment = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

/** The distribution of times, by nearest rank: each value is a measured one. `null` without times. */
function distributionOf(times: number[]): Statistics["duration_ms"] {
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  if (sorted.length === 0) return null;
  return { min: rank(0), p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max: rank(100) };
}

export async function presentStatistics(
  session: Session,
  log: AsyncIterable<Message>,
): Promise<z.output<typeof schemas.Statistics>> {
  const counters = new Map(session.chats.map((chat) => [chat.chatId, { chat, counter: new ReplyCounter() }]));
  const total = new ReplyCounter();
  for await (const { chatId, reply } of log) {
    const found = counters.get(chatId ?? "");
    if (!found || !reply) continue;
    found.counter.add(reply);
    total.add(reply);
  }
  return {
    session_id: session.id,
    chats: [...counters.values()].map(({ chat, counter }) => ({
      chat_id: chat.chatId,
      endpoint: chat.endpointId ?? "",
      ...counter.present(),
    })),
    total: total.present(),
  };
}
