import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf } from "./listening-address.ts";
import { seedOnFirstStart } from "./seed.ts";
import { ParleyClient } from "../client/parley-client.ts";
import { UserError } from "./program.ts";
import type { Settings } from "./settings.ts";
import { claimState } from "./state-claim.ts";
import { exitCodeOf, outputOf, spawnWrangler } from "./wrangler.ts";

/** How long a server that nobody watches may take to start. */
const START_MS = 60_000;

/** How often a server that does not answer well is asked again whether it runs. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 200;

/** Where `wrangler dev` takes a call for the run of a cron trigger. */
const SCHEDULED_PATH = "/cdn-cgi/local/scheduled";

/** A Parley that runs on this machine. */
export interface LocalServer {
  parley: ParleyClient;
  /** Settles to its exit code. */
  ended: Promise<number>;
}

/** Whether a server shares the person's terminal, or shows what it printed only if it fails to start. */
export type Terminal = "shared" | "hidden";

/**
 * Migrates the local database, serves it, fills it on its first start, and does the scheduled work once. The signal stops it.
 *
 * @throws Complaint when it cannot start
 */
export async function startServer(settings: Settings, terminal: Terminal, stop: AbortSignal): Promise<LocalServer> {
  claimState(settings.stateFolder);
  await migrate(settings, stop);
  const output = terminal === "shared" ? "inherit" : "pipe";
  const input = terminal === "shared" ? "inherit" : "ignore";
  const child = spawnWrangler(settings.devArguments, [input, output, output, "ipc"], stop);
  const printed = outputOf(child);
  const ended = exitCodeOf(child);
  const failure = Promise.race([
    ended.then((code): never => {
      throw new UserError(printed(), code);
    }),
    ...(terminal === "hidden" ? [impatience(printed)] : []),
  ]);
  const parley = await Promise.race([openTo(child, settings), failure]);
  await Promise.race([fill(parley, settings), failure]);
  await Promise.race([runScheduledWork(parley), failure]);
  return { parley, ended };
}

/** Fails after a while: a server whose code does not build waits for better code, which nobody would see. */
async function impatience(printed: () => string): Promise<never> {
  await sleep(START_MS, undefined, { ref: false });
  throw new UserError(`${printed()}\n\nThe server has not started within ${START_MS / 1000} s.`);
}

async function migrate({ migrateArguments }: Settings, stop: AbortSignal): Promise<void> {
  const child = spawnWrangler(migrateArguments, ["ignore", "pipe", "pipe"], stop);
  const printed = outputOf(child);
  const code = await exitCodeOf(child);
  if (code !== 0) throw new UserError(`${printed()}\n\nThe local database could not be migrated.`, code);
}

/** Settles once the Worker runs. */
async function openTo(child: ChildProcess, { protocol, adminKey }: Settings): Promise<ParleyClient> {
  const { ip, port } = await whereabouts(child);
  const address = addressOf(protocol, ip, port);
  for (let attempt = 0; attempt < ATTEMPTS && child.exitCode === null; attempt += 1) {
    if (await isHealthy(address)) break;
    await sleep(ATTEMPT_MS);
  }
  return new ParleyClient(address, adminKey);
}

/** Where the server says that it listens. Calls wait there while the Worker's code is built. */
function whereabouts(child: ChildProcess): Promise<{ ip: string; port: number }> {
  return new Promise((resolve) => {
    child.on("message", (message: string) => {
      const { event, ...place } = JSON.parse(message) as { event: string; ip: string; port: number };
      if (event === "DEV_SERVER_READY") resolve(place);
    });
  });
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    return (await fetch(`${address}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** A server that could not be filled serves all the same. */
async function fill(parley: ParleyClient, { stateFolder }: Settings): Promise<void> {
  try {
    await seedOnFirstStart(parley, stateFolder);
  } catch (error) {
    console.error(`The database could not be filled: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `wrangler dev` runs no cron by itself. What a migration leaves to the scheduled work is done at each start. */
async function runScheduledWork({ address }: ParleyClient): Promise<void> {
  try {
    const { ok, status } = await fetch(`${address}${SCHEDULED_PATH}`);
    if (!ok) console.error(`The scheduled work failed (${status}).`);
  } catch (error) {
    console.error(`The scheduled work failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
