/** Shows the results of a run as a table, and writes them to files. Writes to standard output and to the folder of results. */
import { createWriteStream, mkdirSync, renameSync } from "node:fs";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import type { EndpointResult, ParleyClient, Run } from "../../client/index.ts";
import { callersFolder } from "./arguments.ts";
import { formatSeconds, printRemark, printTable } from "../terminal.ts";
import type { Row } from "../terminal.ts";

const FILES = { jsonl: "answers.jsonl", csv: "answers.csv", junit: "junit.xml", promptfoo: "promptfoo.json" } as const;

export function printResults({ results, name, status }: Run): void {
  console.info(`\n  ${name}: ${status}\n`);
  const rows = Object.entries(results).map(([endpoint, result]) => rowOf(endpoint, result));
  printTable(["endpoint", "passed", "95 % interval", "errors", "p50 time", "cost"], rows);
  console.info();
}

function rowOf(endpoint: string, result: EndpointResult): Row {
  const { passed, judged, mean, interval, duration_ms: durationMs, cost } = result;
  const failed = Object.entries(result.errors);
  const cells = [
    endpoint,
    mean === null ? "not judged" : `${passed} of ${judged} (${percent(mean)})`,
    interval === null ? "-" : interval.map(percent).join(" to "),
    failed.length === 0 ? "0" : failed.map(([code, count]) => `${count} ${code}`).join(", "),
    durationMs === null ? "-" : timeText(durationMs.p50),
    cost === null ? "-" : cost.toFixed(4),
  ];
  return { cells, style: failed.length > 0 ? "red" : "reset" };
}

const timeText = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : formatSeconds(ms));

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether an endpoint passes less. One whose answers were not judged passes nothing. */
export const isBelow = ({ results }: Run, share: number): boolean =>
  Object.values(results).some(({ mean }) => (mean ?? 0) < share);

/** Each file is there as a whole, or as it was before. */
export async function writeFiles(parley: ParleyClient, runId: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [format, name] of Object.entries(FILES)) {
    const { body } = await parley.runs.export(runId, { format: format as keyof typeof FILES });
    const file = join(folder, name);
    await pipeline(body ?? [], createWriteStream(`${file}.part`));
    renameSync(`${file}.part`, file);
  }
  printRemark(`Files: ${join(relative(callersFolder(), folder) || ".", `{${Object.values(FILES).join(",")}}`)}`);
}
