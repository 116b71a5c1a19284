/**
 * Part `idle-sockets`: the memory that idle sockets use, in a Parley of its own. Each session has had a socket before, so that the
 * memory of a session does not count.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { closeAll, openFollowers } from "./followers.ts";
import { createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { printTable } from "./report.ts";
import { copyState, serveParley } from "./servers.ts";
import type { Built } from "./servers.ts";
import { median } from "./statistics.ts";
import type { Server } from "./wrangler.ts";

const SOCKETS = 1_000;
const SESSIONS = 100;

/** An object with idle sockets hibernates after 10 seconds. */
const HIBERNATED_MS = 15_000;

const SAMPLES = 5;
const SAMPLE_MS = 400;

/** @param built its empty state is copied, not changed */
export async function idleSockets(built: Built): Promise<Finding[]> {
  const parley = await serveParley(built, copyState(built.parley.empty, "idle-sockets"));
  const toParley = parleyClient(parley.origin);
  // Nothing calls this address.
  const endpoint = await createEndpoint(toParley, "idle-sockets", "http://127.0.0.1:9/v1");
  const createSession = await createSessionMaker(toParley, endpoint);
  const sessions: string[] = [];
  for (let nth = 0; nth < SESSIONS; nth++) sessions.push(await createSession());
  await closeAll(await openFollowers(parley, sessions));
  const before = await residentMb(parley);
  const followed = Array.from({ length: SOCKETS }, (_, nth) => sessions[nth % SESSIONS] ?? "");
  const opened = await openFollowers(parley, followed);
  const awake = await residentMb(parley);
  await sleep(HIBERNATED_MS);
  const hibernated = await residentMb(parley);
  await closeAll(opened);
  toParley.close();
  await parley.stop();
  report(before, { "just opened": awake, [`${HIBERNATED_MS / 1000} s later`]: hibernated });
  return [];
}

/** @returns the resident memory of each process in MB, the median of some samples */
async function residentMb(server: Server): Promise<number[]> {
  const samples: number[][] = [];
  for (let nth = 0; nth < SAMPLES; nth++) {
    await sleep(SAMPLE_MS);
    samples.push(server.residentMb());
  }
  return (samples[0] ?? []).map((_, process) => median(samples.map((sample) => sample[process] ?? NaN)));
}

function report(before: number[], after: Record<string, number[]>): void {
  const sum = (values: number[]) => values.reduce((one, other) => one + other, 0);
  const inMb = (mb: number) => mb.toFixed(1);
  const row = (name: string, values: number[]) => [
    name,
    inMb(sum(values)),
    inMb(((sum(values) - sum(before)) * 1000) / SOCKETS),
    values.map(inMb).join(" + "),
  ];
  printTable(`Memory of ${SOCKETS} idle sockets on ${SESSIONS} sessions, in the local runtime (workerd, RSS)`, [
    ["", "MB", "MB per 1,000", "each process"],
    ["before", inMb(sum(before)), "", before.map(inMb).join(" + ")],
    ...Object.entries(after).map(([name, values]) => row(name, values)),
  ]);
  console.info("  wrangler runs a second workerd in front of that of the Worker, which forwards every socket");
}
