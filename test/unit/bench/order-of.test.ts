/** The bench measures its subjects in a fair order. */
import { describe, expect, it } from "vitest";
import { orderOf } from "../../bench/statistics.ts";

describe.each([2, 3, 4, 5, 6])("%i subjects", (count) => {
  const subjects = Array.from({ length: count }, (_, nth) => nth);
  const rounds = count % 2 === 0 ? count : 2 * count;
  // The first round of the bench warms up.
  const orders = Array.from({ length: rounds }, (_, nth) => orderOf(nth + 1, subjects));

  it("each is measured once in every round", () => {
    for (const order of orders) expect(order.toSorted((one, other) => one - other)).toEqual(subjects);
  });

  it("each has every position equally often", () => {
    for (const at of subjects) {
      const measured = Object.groupBy(orders, (order) => String(order[at]));
      expect(Object.values(measured).map((group) => group?.length)).toEqual(subjects.map(() => rounds / count));
    }
  });

  it("each follows every other one equally often", () => {
    const pairs = orders.flatMap((order) => order.slice(1).map((subject, at) => `${order[at]} then ${subject}`));
    const often = Object.values(Object.groupBy(pairs, (pair) => pair)).map((group) => group?.length);
    expect(often).toEqual(Array.from({ length: count * (count - 1) }, () => rounds / count));
  });
});
