/** Pass rates against exact arithmetic with whole numbers. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { passAtK, passHatK, wilsonInterval } from "../../../src/core/pass-rates.ts";

/** C(n, k), exactly. */
function choose(n: number, k: number): bigint {
  let [above, below] = [1n, 1n];
  for (let index = 0n; index < BigInt(k); index++) {
    above *= BigInt(n) - index;
    below *= index + 1n;
  }
  return k > n ? 0n : above / below;
}

const DIGITS = 10n ** 18n;

/** above / below, exact to 18 digits. */
const ratio = (above: bigint, below: bigint): number => Number((above * DIGITS) / below) / Number(DIGITS);

const attempts = fc
  .integer({ min: 1, max: 100 })
  .chain((n) => fc.record({ n: fc.constant(n), c: fc.integer({ min: 0, max: n }), k: fc.integer({ min: 1, max: n }) }));

it("pass@k and pass^k are what whole numbers say", () => {
  fc.assert(
    fc.property(attempts, ({ n, c, k }) => {
      expect(passAtK(n, c, k)).toBeCloseTo(ratio(choose(n, k) - choose(n - c, k), choose(n, k)), 12);
      expect(passHatK(n, c, k)).toBeCloseTo(ratio(choose(c, k), choose(n, k)), 12);
    }),
    { numRuns: 500 },
  );
});

it("there is no rate of more attempts than were made", () => {
  expect([passAtK(2, 1, 3), passHatK(2, 1, 3)]).toEqual([null, null]);
});

it("Wilson's interval has the two shares that the observed one just fits", () => {
  fc.assert(
    fc.property(attempts, ({ n, c }) => {
      const interval = wilsonInterval(c, n) ?? [NaN, NaN];
      // The shares p where |c/n - p| is 1.96 standard errors of p.
      for (const p of interval) expect((c / n - p) ** 2).toBeCloseTo((1.96 ** 2 * p * (1 - p)) / n, 10);
      expect(interval[0]).toBeLessThanOrEqual(c / n + 1e-12);
      expect(interval[1]).toBeGreaterThanOrEqual(c / n - 1e-12);
    }),
  );
});

it("Wilson's interval is that of published tables", () => {
  // https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval: 0 of 10 up to 0.278, 5 of 10.
  expect(wilsonInterval(0, 10)?.map((share) => share.toFixed(3))).toEqual(["0.000", "0.278"]);
  expect(wilsonInterval(5, 10)?.map((share) => share.toFixed(3))).toEqual(["0.237", "0.763"]);
  expect(wilsonInterval(0, 0)).toBeNull();
});
