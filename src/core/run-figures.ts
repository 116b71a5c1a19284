/**
 * The figures of one endpoint in a run, counted as its answers come. Each answer can be taken out again, because it can be
 * asked for again. Pure.
 */
import type { ReplyDetail } from "./message.ts";
import { roundCost } from "./message.ts";
import { passAtK, passHatK, wilsonInterval } from "./pass-rates.ts";
import type { Distribution } from "./reply-statistics.ts";

/** What is counted of an answer. */
export interface CountedAnswer {
  status: ReplyDetail["status"];
  errorCode: string | null;
  pass: boolean | null;
  durationMs: number | null;
  ttftMs: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  cost: number | null;
}

export interface RunFigures {
  ok: number;
  cancelled: number;
  errors: Record<string, number>;
  passed: number;
  judged: number;
  /** How many replies with status `ok` took how long: by milliseconds, rounded. */
  durations: Record<string, number>;
  firstTexts: Record<string, number>;
  inputTokens: number;
  outputTokens: number;
  cost: number;
  priced: number;
  /** How many items, with all repetitions judged, passed 0, 1, 2 … times. */
  itemsByPasses: number[];
}

export const noFigures = (): RunFigures => ({
  ok: 0,
  cancelled: 0,
  errors: {},
  passed: 0,
  judged: 0,
  durations: {},
  firstTexts: {},
  inputTokens: 0,
  outputTokens: 0,
  cost: 0,
  priced: 0,
  itemsByPasses: [],
});

/** Counts an answer, or takes it out again. Changes the figures. */
export function countAnswer(figures: RunFigures, answer: CountedAnswer, by: 1 | -1): void {
  const { status, errorCode, pass, cost } = answer;
  if (status === "ok") {
    figures.ok += by;
    addTime(figures.durations, answer.durationMs, by);
    addTime(figures.firstTexts, answer.ttftMs, by);
  } else if (status === "cancelled") figures.cancelled += by;
  else add(figures.errors, errorCode ?? "", by);
  if (pass !== null) figures.judged += by;
  if (pass === true) figures.passed += by;
  figures.inputTokens += by * (answer.inputTokens ?? 0);
  figures.outputTokens += by * (answer.outputTokens ?? 0);
  if (cost === null) return;
  figures.cost += by * cost;
  figures.priced += by;
}

/** Counts an item whose repetitions are all judged, or takes it out again. Changes the figures. */
export function countItem({ itemsByPasses }: RunFigures, passes: number, by: 1 | -1): void {
  while (itemsByPasses.length <= passes) itemsByPasses.push(0);
  itemsByPasses[passes] = (itemsByPasses[passes] ?? 0) + by;
}

export function add(counts: Record<string, number>, name: string, by: number): void {
  const count = (counts[name] ?? 0) + by;
  if (count === 0) Reflect.deleteProperty(counts, name);
  else counts[name] = count;
}

/** Five bits after the first one: a time is kept within 1.6 %, and times of a run in some hundred numbers. */
function addTime(times: Record<string, number>, ms: number | null, by: number): void {
  if (ms === null) return;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, ms))) - 5);
  add(times, String(Math.round(ms / step) * step), by);
}

/** The figures as they are shown, but for their names. */
export interface ShownFigures {
  ok: number;
  cancelled: number;
  errors: Record<string, number>;
  passed: number;
  judged: number;
  mean: number | null;
  interval: [low: number, high: number] | null;
  /** By k: 1, and the number of repetitions. `null` while no item has all its repetitions. */
  passAtK: Record<string, number | null>;
  passHatK: Record<string, number | null>;
  durationMs: Distribution | null;
  ttftMs: Distribution | null;
  inputTokens: number;
  outputTokens: number;
  cost: number | null;
}

export function showFigures(figures: RunFigures, repeat: number): ShownFigures {
  const { ok, cancelled, errors, passed, judged, inputTokens, outputTokens } = figures;
  const meanOf = (rate: typeof passAtK, k: number) => meanOverItems(figures.itemsByPasses, (c) => rate(repeat, c, k));
  const byK = (rate: typeof passAtK) =>
    Object.fromEntries([...new Set([1, repeat])].map((k) => [String(k), meanOf(rate, k)]));
  return {
    ok,
    cancelled,
    errors: { ...errors },
    passed,
    judged,
    mean: judged === 0 ? null : passed / judged,
    interval: wilsonInterval(passed, judged),
    passAtK: byK(passAtK),
    passHatK: byK(passHatK),
    durationMs: distributionOf(figures.durations),
    ttftMs: distributionOf(figures.firstTexts),
    inputTokens,
    outputTokens,
    cost: figures.priced === 0 ? null : roundCost(figures.cost),
  };
}

function meanOverItems(itemsByPasses: number[], rateOf: (passes: number) => number | null): number | null {
  const items = itemsByPasses.reduce((sum, count) => sum + count, 0);
  const total = itemsByPasses.reduce((sum, count, passes) => sum + count * (rateOf(passes) ?? 0), 0);
  return items === 0 ? null : total / items;
}

function distributionOf(times: Record<string, number>): Distribution | null {
  const sorted = Object.entries(times)
    .map(([ms, count]) => ({ ms: Number(ms), count }))
    .toSorted((a, b) => a.ms - b.ms);
  const total = sorted.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return null;
  const rank = (percent: number): number => {
    let left = Math.max(1, Math.ceil((percent / 100) * total));
    return sorted.find(({ count }) => (left -= count) <= 0)?.ms ?? 0;
  };
  return { min: rank(0), p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), max: rank(100) };
}
