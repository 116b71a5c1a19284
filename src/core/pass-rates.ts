/**
 * What repeated attempts show of a model: pass@k, pass^k, and how sure a share is. Pure.
 *
 * pass@k: https://arxiv.org/abs/2107.03374, section 2.1. pass^k: https://arxiv.org/abs/2406.12045, section 3.
 */

/** The chance that at least one of k of n attempts passed, if c of the n passed. `null` if n < k. */
export const passAtK = (n: number, c: number, k: number): number | null => (n < k ? null : 1 - allOf(n, n - c, k));

/** The chance that all of k of n attempts passed, if c of the n passed. `null` if n < k. */
export const passHatK = (n: number, c: number, k: number): number | null => (n < k ? null : allOf(n, c, k));

/** C(m, k) / C(n, k), without the large numbers: the chance that k of n are all among m of them. */
function allOf(n: number, m: number, k: number): number {
  let chance = 1;
  for (let index = 0; index < k; index++) chance *= Math.max(0, m - index) / (n - index);
  return chance;
}

/** Of a normal distribution, for 95 %. */
const Z = 1.96;

/** Wilson's interval of a share at 95 %; `null` of nothing. https://doi.org/10.1080/01621459.1927.10502953 */
export function wilsonInterval(passed: number, judged: number): [low: number, high: number] | null {
  if (judged === 0) return null;
  const share = passed / judged;
  const square = (Z * Z) / judged;
  const center = share + square / 2;
  const margin = Z * Math.sqrt((share * (1 - share)) / judged + square / (4 * judged));
  return [Math.max(0, (center - margin) / (1 + square)), Math.min(1, (center + margin) / (1 + square))];
}
