/** Shows the results of a run as a table, and writes them to files. Writes to standard output and to the folder of results. */
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import type { EndpointResult, ParleyClient, Run } from "../../client/index.ts";
import { callersFolder } from "./arguments.ts";
import { formatSeconds, printRemark, printTable } from "../terminal.ts";
import type { Row } from "../terminal.ts";

const FILES = { jsonl: "answers.jsonl", csv: "answers.csv", junit: "junit.xml", promptfoo: "promptfoo.json" } as const;

/** Has the id of the run whose results are in the folder. */
const RUN_FILE = "run.txt";

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

/**
 * Prints which endpoints pass less. One whose answers were not judged passes nothing.
 *
 * @returns whether there are any
 */
export function printBelow({ results }: Run, share: number): boolean {
  const below = Object.entries(results).filter(([, { mean }]) => (mean ?? 0) < share);
  const wanted = `--fail-under ${percent(share)}`;
  for (const [endpoint, { mean }] of below)
    printRemark(
      `${endpoint} ${mean === null ? "has nothing that is judged" : `passes ${percent(mean)}`}, below ${wanted}`,
    );
  if (below.length > 0) printRemark("So the exit code is 1.");
  return below.length > 0;
}

/** Each file is there as a whole, or as it was before. Those of another run are kept in a folder with its id. */
export async function writeFiles(parley: ParleyClient, runId: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  keepFilesOfAnother(runId, folder);
  writeFileSync(join(folder, RUN_FILE), `${runId}\n`);
  for (const [format, name] of Object.entries(FILES)) {
    const { body } = await parley.runs.export(runId, { format: format as keyof typeof FILES });
    const file = join(folder, name);
    await pipeline(body ?? [], createWriteStream(`${file}.part`));
    renameSync(`${file}.part`, file);
  }
  printRemark(`Files: ${join(shownPath(folder), `{${Object.values(FILES).join(",")}}`)}`);
}

function keepFilesOfAnother(runId: string, folder: string): void {
  const runFile = join(folder, RUN_FILE);
  const owner = existsSync(runFile) ? readFileSync(runFile, "utf8").trim() : `before-${runId}`;
  const names = Object.values(FILES).filter((name) => existsSync(join(folder, name)));
  if (owner === runId || names.length === 0) return;
  const kept = join(folder, owner);
  mkdirSync(kept, { recursive: true });
  for (const name of names) renameSync(join(folder, name), join(kept, name));
  printRemark(`The results that were in ${shownPath(folder)} are of another run: they are now in ${shownPath(kept)}`);
}

const shownPath = (folder: string): string => relative(callersFolder(), folder) || ".";
