/**
 * `npm run bench [-- --only append,chat]`: measures Parley under `wrangler dev`, beside a bare Worker that does the same work and
 * nothing else. The ratios count: both run at the same time on the same machine.
 *
 * Do not change sources meanwhile: wrangler restarts a Worker whose sources change. Each part is one file.
 */
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { appendAtOnce } from "./append-at-once.ts";
import { append } from "./append.ts";
import { bundle } from "./bundle.ts";
import { chat } from "./chat.ts";
import { fanOut } from "./fan-out.ts";
import { overhead } from "./overhead.ts";
import { idleSockets } from "./idle-sockets.ts";
import { lists } from "./lists.ts";
import { cleanUpAtExit, scratchDirectory } from "./processes.ts";
import type { Finding } from "./report.ts";
import { printSummary } from "./report.ts";
import type { Servers } from "./servers.ts";
import { createEmptyState, startServers } from "./servers.ts";
import { sockets } from "./sockets.ts";
import { streams } from "./streams.ts";

/** Parts that need the two Workers, in order. */
const UNDER_LOAD: Record<string, (servers: Servers) => Promise<Finding[]>> = {
  append,
  "append-at-once": appendAtOnce,
  chat,
  overhead,
  "fan-out": fanOut,
  streams,
  sockets,
};

const PARTS = [...Object.keys(UNDER_LOAD), "idle-sockets", "lists", "bundle"];

async function run(wanted: Set<string>): Promise<Finding[]> {
  const scratch = scratchDirectory();
  const empty = await createEmptyState(scratch);
  const findings = await runUnderLoad(empty, wanted);
  if (wanted.has("idle-sockets")) findings.push(...(await idleSockets(empty)));
  if (wanted.has("lists")) findings.push(...(await lists(empty)));
  if (wanted.has("bundle")) findings.push(...(await bundle(scratch)));
  return findings;
}

async function runUnderLoad(empty: string, wanted: Set<string>): Promise<Finding[]> {
  const parts = Object.entries(UNDER_LOAD).filter(([name]) => wanted.has(name));
  const findings: Finding[] = [];
  if (parts.length === 0) return findings;
  const servers = await startServers(empty);
  for (const [, part] of parts) findings.push(...(await part(servers)));
  await servers.stop();
  return findings;
}

function wantedParts(): Set<string> {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  const wanted = values.only?.split(",") ?? PARTS;
  const unknown = wanted.filter((name) => !PARTS.includes(name));
  if (unknown.length > 0) {
    console.error(`No such part: ${unknown.join(", ")}. There are ${PARTS.join(", ")}`);
    process.exit(1);
  }
  return new Set(wanted);
}

const wanted = wantedParts();
cleanUpAtExit();
const started = performance.now();
const load = `load ${(loadavg()[0] ?? 0).toFixed(2)} on ${availableParallelism()} cores before the start`;
console.info(`Node ${process.version}, ${load}: ${[...wanted].join(", ")}`);
printSummary(await run(wanted));
console.info(`\n${((performance.now() - started) / 1000).toFixed(0)} s`);
