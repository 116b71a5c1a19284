/**
 * `npm run compare`: puts a data set to endpoints of a running server, and shows how they did. The run is the server's:
 * it goes on when this program ends, and the same command finds it again.
 *
 * The parts are in `compare/`: `arguments` reads the command line, `read-data-set` and `promptfoo-tests` the file, `state`
 * finds the run again, `progress` and `report` show it. Exit codes: 0, 1 below `--fail-under`, 2 if there is no result.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { ParleyError } from "../client/index.ts";
import type { ParleyClient, Run } from "../client/index.ts";
import { HELP, readArguments } from "./compare/arguments.ts";
import type { CompareOptions } from "./compare/arguments.ts";
import { requireEndpoints } from "./compare/endpoint-names.ts";
import { showProgress } from "./compare/progress.ts";
import { readDataSet } from "./compare/read-data-set.ts";
import type { DataSet } from "./compare/read-data-set.ts";
import { printBelow, printResults, writeFiles } from "./compare/report.ts";
import { KnownRuns } from "./compare/state.ts";
import { NO_RESULT, UserError, runProgram } from "./program.ts";
import { explainRefusal, findServer, tokenInShell } from "./running-server.ts";
import { printCommand, printRemark } from "./terminal.ts";

/** Answers that say for sure that no run was started. After a 409 or without an answer there may be one. */
const REFUSED_STATUSES = [400, 401, 403, 404, 413, 415, 422];

await runProgram(async (stop) => {
  const options = readArguments(process.argv.slice(2));
  if (options === null) {
    console.info(HELP);
    return 0;
  }
  if (!existsSync(options.file)) throw new UserError(`There is no file ${options.file}.`, NO_RESULT);
  requireFolder(options.out);
  const text = readFileSync(options.file, "utf8").replace(/^\uFEFF/, "");
  const dataSet = readDataSet(options.file, text);
  const parley = await requireServer();
  try {
    return await compare(parley, options, { text, dataSet }, stop);
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    throw new UserError(explain(error, options.file, dataSet, parley.connection.url), NO_RESULT);
  }
});

function requireFolder(path: string): void {
  if (!existsSync(path) || statSync(path).isDirectory()) return;
  throw new UserError(`${path} is a file. Name a folder for the results with --out.`, NO_RESULT);
}

async function requireServer(): Promise<ParleyClient> {
  const parley = await findServer();
  if (parley) return parley;
  const advice = "Start one in another terminal with: npm start\nOr set PARLEY_URL and PARLEY_KEY to a server.";
  throw new UserError(`No Parley is running here. ${advice}`, NO_RESULT);
}

async function compare(
  parley: ParleyClient,
  options: CompareOptions,
  file: { text: string; dataSet: DataSet },
  stop: AbortSignal,
): Promise<number> {
  const runs = new KnownRuns(options, file.text, parley.connection.url);
  const known = await findKnown(parley, runs, options);
  const started = known ?? (await start(parley, runs, options, file.dataSet));
  printRemark(`Run ${started.run_id} on ${parley.connection.url}`);
  const ended = known?.status === "completed" ? known : await follow(parley, started, stop);
  printResults(ended);
  await writeFiles(parley, ended.run_id, options.out);
  if (ended.status !== "completed")
    throw new UserError(`The run was ${ended.status}. The same command goes on with it.`, NO_RESULT);
  return options.failUnder !== null && printBelow(ended, options.failUnder) ? 1 : 0;
}

/** The run that an earlier command with the same file and options has started. */
async function findKnown(parley: ParleyClient, runs: KnownRuns, { again }: CompareOptions): Promise<Run | null> {
  if (again || runs.runId === null) return null;
  const run = await parley.runs.get(runs.runId).catch((error: unknown) => {
    if (error instanceof ParleyError && error.code === "not_found") return null;
    throw error;
  });
  if (run?.status === "paused" || run?.status === "cancelled") await parley.runs.resume(run.run_id);
  if (run?.status === "completed") printRemark("This was asked before. To ask it again, add --again.");
  else if (run) printRemark("An earlier command has started the run.");
  return run;
}

async function start(parley: ParleyClient, runs: KnownRuns, options: CompareOptions, dataSet: DataSet): Promise<Run> {
  await requireEndpoints(parley, options.run.endpoints);
  for (const remark of dataSet.remarks) printRemark(remark);
  const known = runs.runId;
  const call = { idempotencyKey: runs.keyOfNext(options.again || known !== null) };
  try {
    const run =
      "items" in dataSet
        ? await parley.runs.create({ ...options.run, items: dataSet.items }, call)
        : await parley.runs.createFrom(dataSet, options.run, call);
    runs.keep(run.run_id);
    return run;
  } catch (error) {
    if (error instanceof ParleyError && REFUSED_STATUSES.includes(error.status)) runs.forgetNext();
    throw error;
  }
}

async function follow(parley: ParleyClient, { run_id: id }: Run, stop: AbortSignal): Promise<Run> {
  try {
    await showProgress(parley.runs.follow(id, { signal: stop }));
  } catch (error) {
    if (!stop.aborted) throw error;
    printRemark("The run goes on without this program. The same command shows it again; to end it:");
    printCommand(
      `curl -X POST ${parley.connection.url}/v1/runs/${id}/cancel -H "authorization: Bearer ${tokenInShell()}"`,
    );
    throw error;
  }
  return parley.runs.get(id);
}

function explain(error: ParleyError, file: string, dataSet: DataSet, url: string): string {
  if (error.code !== "invalid_input" || error.details.length === 0)
    return explainRefusal(error, url, "service or admin");
  const problems = error.details.map(({ path, message }) => `  ${dataSet.explain(path, message)}`);
  return `The run was not started, because of ${file}:\n${problems.join("\n")}`;
}
