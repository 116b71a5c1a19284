/** Compares subjects that do the same work: their times, their rates, and the CPU time of their servers. */
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, median, medianOfPairs, quantile } from "./statistics.ts";
import type { Server } from "./wrangler.ts";

/** Makes one call. @returns its time in milliseconds */
export type Call = () => Promise<number>;

export interface Subject {
  /** Whose CPU time counts. `null`: nobody's. */
  server: Server | null;
  /** Prepares one caller, which makes one call after the other. */
  open: () => Promise<Call>;
}

export interface Load {
  rounds: number;
  callers: number;
  /** Measured calls of each caller in a round. One more is made before and does not count. */
  calls: number;
}

/** What one subject did in one round. */
export interface Round {
  timesMs: number[];
  /** Calls a second, of all callers together. */
  rate: number;
  /** CPU time of the server, per call. */
  cpuMs: number;
}

/** Measures subjects in alternation. The first round warms up and does not count. */
export const compare = <Name extends string>(
  { rounds, ...load }: Load,
  subjects: Record<Name, Subject>,
): Promise<Rounds<Name, Round>> => {
  const measure = ([name, subject]: [string, Subject]) => [name, () => measureRound(load, subject)];
  const measures = Object.entries<Subject>(subjects).map(measure);
  return interleave(rounds, Object.fromEntries(measures) as Record<Name, () => Promise<Round>>);
};

async function measureRound({ callers, calls }: Omit<Load, "rounds">, { server, open }: Subject): Promise<Round> {
  const opened = await Promise.all(Array.from({ length: callers }, open));
  await Promise.all(opened.map((call) => call()));
  const [cpuBefore, started] = [server?.cpuMs() ?? 0, performance.now()];
  const timesMs = await Promise.all(
    opened.map(async (call) => {
      const times: number[] = [];
      for (let nth = 0; nth < calls; nth++) times.push(await call());
      return times;
    }),
  );
  const total = callers * calls;
  return {
    rate: (total * 1000) / (performance.now() - started),
    timesMs: timesMs.flat(),
    cpuMs: ((server?.cpuMs() ?? 0) - cpuBefore) / total,
  };
}

export const p50 = ({ timesMs }: Round): number => median(timesMs);

/** The median over all rounds of one subject's value by another's. */
export const ratio = (value: (round: Round) => number, ones: Round[], others: Round[]): number =>
  medianOfPairs(ones, others, (one, other) => value(one) / value(other));

/** @param base what the others are compared with @param names how the table calls the subjects */
export function printComparison<Name extends string>(
  title: string,
  measured: Rounds<Name, Round>,
  base: NoInfer<Name>,
  names: Partial<Record<NoInfer<Name>, string>>,
): void {
  const row = (name: Name): string[] => {
    const rounds = measured[name];
    const times = rounds.flatMap(({ timesMs }) => timesMs);
    const cpu = rounds.some(({ cpuMs }) => cpuMs > 0);
    return [
      names[name] ?? name,
      inMs(median(rounds.map(p50))),
      inMs(quantile(times, 0.99)),
      asRatio(ratio(p50, rounds, measured[base])),
      median(rounds.map(({ rate }) => rate)).toFixed(0),
      cpu ? inMs(median(rounds.map(({ cpuMs }) => cpuMs))) : "",
      cpu ? asRatio(ratio(({ cpuMs }) => cpuMs, rounds, measured[base])) : "",
    ];
  };
  const compared = base === "bare" ? "to bare" : "to first";
  printTable(title, [
    ["", "p50 ms", "p99 ms", compared, "a second", "CPU ms", compared],
    ...(Object.keys(names) as Name[]).map(row),
  ]);
}

/** A ratio that must not be more than its target. */
export const atMost = (measure: string, value: number, target: number): Finding => ({
  measure,
  value,
  unit: "x",
  target: { atMost: target },
});

/** A ratio that must not be less than its target. */
export const atLeast = (measure: string, value: number, target: number): Finding => ({
  measure,
  value,
  unit: "x",
  target: { atLeast: target },
});
