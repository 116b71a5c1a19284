/**
 * `npm run bench [-- --only append,chat] [--json after.json]`: measures Parley beside a bare Worker that does the same work and nothing else, each on
 * a socket of its own in the runtime. The ratios count: both run at the same time on the same machine.
 *
 * `npm run bench -- --compare before.json after.json` compares two such files. Each part is one file. `--beside` is in `beside.ts`.
 */
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { append } from "./append.ts";
import { assets } from "./assets.ts";
import { beside } from "./beside.ts";
import { bundle } from "./bundle.ts";
import { chat } from "./chat.ts";
import { coldStart } from "./cold-start.ts";
import { commits } from "./commits.ts";
import { d1Delays } from "./d1-delays.ts";
import { doors } from "./doors.ts";
import { fanOut } from "./fan-out.ts";
import { idleSockets } from "./idle-sockets.ts";
import { lists } from "./lists.ts";
import { longSessions } from "./long-sessions.ts";
import { overhead } from "./overhead.ts";
import { cleanUpAtExit, scratchDirectory } from "./processes.ts";
import { profileCalls } from "./profile.ts";
import { reads } from "./reads.ts";
import type { Finding } from "./report.ts";
import { printChanges, printSummary, writeTables } from "./report.ts";
import { runs } from "./runs.ts";
import type { Built, Servers } from "./servers.ts";
import { build, startServers } from "./servers.ts";
import { socketTurns } from "./socket-turns.ts";
import { sockets } from "./sockets.ts";
import { streams } from "./streams.ts";
import { sustainedStreams } from "./sustained-streams.ts";

/** Parts that need the two Workers, in order. */
const UNDER_LOAD: Record<string, (servers: Servers) => Promise<Finding[]>> = {
  append,
  chat,
  doors,
  "long-sessions": longSessions,
  overhead,
  "fan-out": fanOut,
  runs,
  streams,
  "sustained-streams": sustainedStreams,
  "socket-turns": socketTurns,
  reads,
  sockets,
};

const PARTS = [
  ...Object.keys(UNDER_LOAD),
  "assets",
  "commits",
  "cold-start",
  "d1-delays",
  "idle-sockets",
  "lists",
  "bundle",
];

async function run(wanted: Set<string>): Promise<Finding[]> {
  const scratch = scratchDirectory();
  const built = await build(scratch);
  const findings = await runUnderLoad(built, wanted);
  if (wanted.has("assets")) findings.push(...(await assets(built)));
  if (wanted.has("commits")) findings.push(...(await commits(built)));
  if (wanted.has("cold-start")) findings.push(...(await coldStart(built)));
  if (wanted.has("d1-delays")) findings.push(...(await d1Delays(built, scratch)));
  if (wanted.has("idle-sockets")) findings.push(...(await idleSockets(built)));
  if (wanted.has("lists")) findings.push(...(await lists(built)));
  if (wanted.has("bundle")) findings.push(...(await bundle(scratch)));
  return findings;
}

async function runUnderLoad(built: Built, wanted: Set<string>): Promise<Finding[]> {
  const parts = Object.entries(UNDER_LOAD).filter(([name]) => wanted.has(name));
  const findings: Finding[] = [];
  if (parts.length === 0) return findings;
  const servers = await startServers(built, "load");
  for (const [, part] of parts) findings.push(...(await part(servers)));
  await servers.stop();
  return findings;
}

function wantedParts(only: string | undefined): Set<string> {
  const wanted = only?.split(",") ?? PARTS;
  const unknown = wanted.filter((name) => !PARTS.includes(name));
  if (unknown.length > 0) {
    console.error(`No such part: ${unknown.join(", ")}. There are ${PARTS.join(", ")}`);
    process.exit(1);
  }
  return new Set(wanted);
}

async function measure(wanted: Set<string>): Promise<void> {
  const started = performance.now();
  const load = `load ${(loadavg()[0] ?? 0).toFixed(2)} on ${availableParallelism()} cores before the start`;
  console.info(`Node ${process.version}, ${load}: ${[...wanted].join(", ")}`);
  printSummary(await run(wanted));
  console.info(`\n${((performance.now() - started) / 1000).toFixed(0)} s`);
}

const { values, positionals } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string" },
    compare: { type: "boolean" },
    beside: { type: "string" },
    profile: { type: "string" },
    of: { type: "string", default: "chat" },
  },
  allowPositionals: true,
});
const [before, after] = positionals;
cleanUpAtExit();
if (values.compare && before !== undefined && after !== undefined) printChanges(before, after);
else if (values.beside !== undefined) await beside(values.beside);
else if (values.profile !== undefined) await profileCalls(scratchDirectory(), values.profile, values.of);
else await measure(wantedParts(values.only));
if (values.json !== undefined) writeTables(values.json);
