/** Shows how far a run is: one line that changes on a terminal, and otherwise a line now and then. Writes to standard output. */
import type { RunEvent } from "../../client/index.ts";

/** The shortest time between two lines, in milliseconds. */
const LINE_MS = 5_000;

export async function showProgress(events: AsyncIterable<RunEvent>): Promise<void> {
  const { stdout } = process;
  const startedAt = Date.now();
  let first: number | null = null;
  let printedAt = 0;
  let [line, printed] = ["", ""];
  for await (const event of events) {
    if (event.type === "run-ended") break;
    const { progress, eta_seconds: etaSeconds } = event;
    first ??= progress.done;
    const seconds = (Date.now() - startedAt) / 1000;
    line = lineOf(progress, (progress.done - first) / Math.max(seconds, 1), etaSeconds);
    if (stdout.isTTY) stdout.write(`\r\u001B[K  ${line}`);
    else if (Date.now() - printedAt >= LINE_MS) {
      printedAt = Date.now();
      console.info(line);
      printed = line;
    }
  }
  if (stdout.isTTY) stdout.write("\n");
  else if (line !== printed) console.info(line);
}

type Progress = Extract<RunEvent, { type: "run-progress" }>["progress"];

function lineOf({ done, of, errors }: Progress, rate: number, etaSeconds: number | null): string {
  const parts = [`${done} of ${of} answers (${Math.floor((100 * done) / of)} %)`];
  if (errors > 0) parts.push(`${errors} failed`);
  if (rate > 0) parts.push(`${rate.toFixed(1)} a second`);
  if (etaSeconds !== null && done < of) parts.push(`${timeText(etaSeconds)} left`);
  return parts.join(", ");
}

/** `45 s`, `3 min`, `2 h 05 min` */
function timeText(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
