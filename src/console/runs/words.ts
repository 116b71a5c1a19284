/** How a run is written for people. Pure. */
import type { Run, RunResult, RunSummary } from "../../client/types.ts";
import { integer, plural } from "../shared/format.ts";

export const STATUS_TEXT: Record<RunSummary["status"], string> = {
  running: "running",
  paused: "paused",
  completed: "complete",
  cancelled: "cancelled",
  failed: "failed",
};

export const isOpen = ({ status }: Pick<RunSummary, "status">): boolean => status === "running" || status === "paused";

export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Minutes and hours are enough: a run's time left is an estimate. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How far a run is, how fast, and how long it will take. */
export function progressText({ progress, eta_seconds: eta }: Pick<Run, "progress" | "eta_seconds">): string {
  const { done, of, errors } = progress;
  const parts = [`${integer(done)} of ${plural(of, "answer")}`];
  if (errors > 0) parts.push(`${integer(errors)} failed`);
  if (eta !== null && done < of) {
    const rate = (of - done) / Math.max(1, eta);
    parts.push(`${rate < 10 ? rate.toFixed(1) : integer(Math.round(rate))} a second`, `${duration(eta)} left`);
  }
  return parts.join(" · ");
}

/** What became of an answer. `answered`: it is not judged. */
export type Verdict = "passed" | "not passed" | "answered" | "failed" | "stopped";

export function verdictOf({ status, pass }: Pick<RunResult, "status" | "pass">): Verdict {
  if (status === "error") return "failed";
  if (status === "cancelled") return "stopped";
  if (pass === null) return "answered";
  return pass ? "passed" : "not passed";
}
