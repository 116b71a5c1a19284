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
 * Measures several subjects in alternation, so that a slow moment of the machine affects all of them, each round in an order of
 * its own. The first round warms up and does not count.
 */
export async function interleave<Name extends string, T>(
  rounds: number,
  subjects: Record<Name, () => Promise<T>>,
): Promise<Rounds<Name, T>> {
  const names = Object.keys(subjects) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Rounds<Name, T>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of orderOf(round, names)) {
      const result = await subjects[name]();
      if (round > 0) measured[name].push(result);
    }
  }
  return measured;
}

/**
 * The order of a round. What a subject leaves to do in the background counts for the one that follows, so a rotation is not enough:
 * each subject has to follow each other one equally often. It does so in twice as many rounds as there are subjects, or in as many
 * if their number is even: a Williams design, https://en.wikipedia.org/wiki/Latin_square#Statistics_and_mathematics
 */
export function orderOf<T>(round: number, subjects: T[]): T[] {
  const count = subjects.length;
  const steps = subjects.map((_, nth) => (nth % 2 === 0 ? count - nth / 2 : (nth + 1) / 2));
  const order = steps.map((step) => subjects[(round + step) % count] as T);
  const isMirrored = count % 2 === 1 && Math.floor(round / count) % 2 === 1;
  return isMirrored ? order.toReversed() : order;
}

/** Compares two subjects round by round. @returns the median of the results */
export const medianOfPairs = <T>(ones: T[], others: T[], compare: (one: T, other: T) => number): number =>
  median(ones.map((one, round) => compare(one, others[round] as T)));

/** How many times longer one subject takes than another: the median over all rounds of the ratio of their medians. */
export const ratioOfMedians = (ones: number[][], others: number[][]): number =>
  medianOfPairs(ones, others, (one, other) => median(one) / median(other));

/** The median of the rounds' medians. */
export const typical = (rounds: number[][]): number => median(rounds.map(median));
