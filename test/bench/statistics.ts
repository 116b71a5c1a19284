/** The value below which a part of the values lies, between 0 and 1. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const position = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(position)] ?? NaN, sorted[Math.ceil(position)] ?? NaN];
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: number[]): number => quantile(values, 0.5);

/** What each round of each subject brought. */
export type Rounds<Name extends string, T> = Record<Name, T[]>;

/**
 * Measures several subjects in turn, round after round, so that what slows the machine for a while slows all of them.
 * Every other round goes the other way round. The first round warms up and does not count.
 */
export async function interleave<Name extends string, T>(
  rounds: number,
  subjects: Record<Name, () => Promise<T>>,
): Promise<Rounds<Name, T>> {
  const names = Object.keys(subjects) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Rounds<Name, T>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const brought = await subjects[name]();
      if (round > 0) measured[name].push(brought);
    }
  }
  return measured;
}

/** The median of what a function makes of each round of two subjects. */
export const medianOfPairs = <T>(ones: T[], others: T[], compare: (one: T, other: T) => number): number =>
  median(ones.map((one, round) => compare(one, others[round] as T)));

/** How many times as long one subject takes as another: the median over the rounds of the ratio of their medians. */
export const ratioOfMedians = (ones: number[][], others: number[][]): number =>
  medianOfPairs(ones, others, (one, other) => median(one) / median(other));

/** The median of the rounds' medians. */
export const typical = (rounds: number[][]): number => median(rounds.map(median));
