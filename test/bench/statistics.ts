/** Measures several subjects in alternation, and compares the results by medians. */
/** The value below which a part of the values lies. @param part from 0 to 1 */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const position = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(position)] ?? NaN, sorted[Math.ceil(position)] ?? NaN];
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: number[]): number => quantile(values, 0.5);

/** The result of each round, per subject. */
export type Rounds<Name extends string, T> = Record<Name, T[]>;

/**
 * Measures several subjects in alternation, so that a slow moment of the machine affects all of them. Every other round runs in
 * reverse order. The first round warms up and does not count.
 */
export async function interleave<Name extends string, T>(
  rounds: number,
  subjects: Record<Name, () => Promise<T>>,
): Promise<Rounds<Name, T>> {
  const names = Object.keys(subjects) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Rounds<Name, T>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await subjects[name]();
      if (round > 0) measured[name].push(result);
    }
  }
  return measured;
}

/** Compares two subjects round by round. @returns the median of the results */
export const medianOfPairs = <T>(ones: T[], others: T[], compare: (one: T, other: T) => number): number =>
  median(ones.map((one, round) => compare(one, others[round] as T)));

/** How many times longer one subject takes than another: the median over all rounds of the ratio of their medians. */
export const ratioOfMedians = (ones: number[][], others: number[][]): number =>
  medianOfPairs(ones, others, (one, other) => median(one) / median(other));

/** The median of the rounds' medians. */
export const typical = (rounds: number[][]): number => median(rounds.map(median));
