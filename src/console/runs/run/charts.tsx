/** The drawings of a chart's row: a bar, or a mark with its range. All values are shares of the width. */
const HEIGHT = 24;
const BAR_HEIGHT = 8;
const BAR_Y = (HEIGHT - BAR_HEIGHT) / 2;
const RANGE_HEIGHT = 4;
const MARK_WIDTH = 1.2;

const FRAME = { viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": true } as const;

const Track = () => <rect class="chart-track" y={BAR_Y} width="100" height={BAR_HEIGHT} />;

/** @param isBad whether the less, the better */
export const BarChart = ({ share, isBad = false }: { share: number; isBad?: boolean }) => (
  <svg {...FRAME}>
    <Track />
    <rect class={isBad ? "progress-errors" : "chart-bar"} y={BAR_Y} width={share * 100} height={BAR_HEIGHT} />
  </svg>
);

interface RangeProps {
  /** Where the mark is; `null` for none. */
  at: number | null;
  /** Low and high. */
  range: readonly number[] | null;
}

export function RangeChart({ at, range }: RangeProps) {
  const x = (share: number): number => share * (100 - MARK_WIDTH);
  const [low = 0, high = 0] = range ?? [];
  return (
    <svg {...FRAME}>
      <Track />
      {range && (
        <rect
          class="chart-range"
          x={x(low)}
          y={(HEIGHT - RANGE_HEIGHT) / 2}
          width={x(high) - x(low) + MARK_WIDTH}
          height={RANGE_HEIGHT}
        />
      )}
      {at !== null && (
        <rect
          class="chart-mark"
          x={x(at)}
          y={BAR_Y - RANGE_HEIGHT / 2}
          width={MARK_WIDTH}
          height={BAR_HEIGHT + RANGE_HEIGHT}
        />
      )}
    </svg>
  );
}
