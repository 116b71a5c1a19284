/** How much of a run is done, as a bar: answers, and among them those that failed. */
import type { RunSummary } from "../../../client/types.ts";

interface BarProps {
  progress: RunSummary["progress"];
  label: string;
}

export function ProgressBar({ progress: { done, of, errors }, label }: BarProps) {
  const share = (count: number): number => (of === 0 ? 0 : (count / of) * 100);
  return (
    <svg
      class="progress"
      viewBox="0 0 100 1"
      preserveAspectRatio="none"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={of}
      aria-valuenow={done}
    >
      <rect class="chart-track" width="100" height="1" />
      <rect class="chart-bar" width={share(done)} height="1" />
      <rect class="progress-errors" x={share(done - errors)} width={share(errors)} height="1" />
    </svg>
  );
}
