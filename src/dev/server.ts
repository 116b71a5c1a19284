/**
 * Starts a local server with `wrangler dev`: prepares its state, serves it, and runs once what cron would run.
 *
 * Starts processes and calls the server. What the person sees of it is decided in `start.ts` and `demo.ts`.
 */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { ParleyClient } from "../client/parley-client.ts";
import { addressOf } from "./listening-address.ts";
import { UserError } from "./program.ts";
import type { Settings } from "./settings.ts";
import { hasDefaultKey, isLoopback } from "./settings.ts";
import { lockState } from "./state-lock.ts";
import { collectOutput, exitCodeOf, spawnProgram, spawnWrangler } from "./wrangler.ts";

/** How long a server with hidden output may take to start. */
const STARTUP_TIMEOUT_MS = 60_000;

const HEALTH_ATTEMPTS = 50;
const HEALTH_INTERVAL_MS = 200;

/** A call to this path of `wrangler dev` runs the cron trigger. */
const SCHEDULED_PATH = "/cdn-cgi/local/scheduled";

export interface LocalServer {
  parley: ParleyClient;
  /** Resolves to the exit code. */
  ended: Promise<number>;
}

/** `shared`: the server uses this terminal. `hidden`: its output is shown only if it fails to start. */
export type ServerOutput = "shared" | "hidden";

/** @param stop stops the server @throws {@link UserError} when it cannot start */
export async function startServer(
  settings: Settings,
  serverOutput: ServerOutput,
  stop: AbortSignal,
): Promise<LocalServer> {
  requireOwnKey(settings);
  lockState(settings.stateFolder);
  await prepare(settings, stop);
  const output = serverOutput === "shared" ? "inherit" : "pipe";
  const input = serverOutput === "shared" ? "inherit" : "ignore";
  const child = spawnWrangler(settings.devArguments, [input, output, output, "ipc"], stop);
  const readOutput = collectOutput(child);
  const ended = exitCodeOf(child);
  const failure = Promise.race([
    ended.then((code): never => {
      throw new UserError(readOutput(), code);
    }),
    ...(serverOutput === "hidden" ? [startupTimeout(readOutput)] : []),
  ]);
  const parley = await Promise.race([waitUntilReady(child, settings), failure]);
  await Promise.race([runScheduledWork(parley), failure]);
  return { parley, ended };
}

/** When the code does not build, `wrangler dev` waits for a change. With hidden output nobody would see why. */
async function startupTimeout(readOutput: () => string): Promise<never> {
  await sleep(STARTUP_TIMEOUT_MS, undefined, { ref: false });
  throw new UserError(`${readOutput()}\n\nThe server did not start within ${STARTUP_TIMEOUT_MS / 1000} s.`);
}

/** Other machines could call with a key that everybody knows. */
function requireOwnKey(settings: Settings): void {
  if (isLoopback(settings.ip) || !hasDefaultKey(settings)) return;
  throw new UserError(
    `With --ip ${settings.ip} other machines can call this server, and everybody knows its admin key.\n` +
      "Set a key of your own: a line ADMIN_KEY=… in the file .dev.vars, with a text from: openssl rand -hex 32",
  );
}

async function prepare({ stateFolder }: Settings, stop: AbortSignal): Promise<void> {
  const child = spawnProgram("prepare.ts", [stateFolder], stop);
  const readOutput = collectOutput(child);
  const code = await exitCodeOf(child);
  if (code !== 0) throw new UserError(readOutput(), code);
}

async function waitUntilReady(child: ChildProcess, { protocol, adminKey }: Settings): Promise<ParleyClient> {
  const { ip, port } = await listeningAddress(child);
  const address = addressOf(protocol, ip, port);
  for (let attempt = 0; attempt < HEALTH_ATTEMPTS && child.exitCode === null; attempt += 1) {
    if (await isHealthy(address)) break;
    await sleep(HEALTH_INTERVAL_MS);
  }
  return new ParleyClient(address, adminKey);
}

/** Wrangler reports the address before the Worker is built. Calls wait until then. */
function listeningAddress(child: ChildProcess): Promise<{ ip: string; port: number }> {
  return new Promise((resolve) => {
    child.on("message", (message: string) => {
      const { event, ...address } = JSON.parse(message) as { event: string; ip: string; port: number };
      if (event === "DEV_SERVER_READY") resolve(address);
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

/** `wrangler dev` does not run cron triggers, and migrations leave work to them. */
async function runScheduledWork({ address }: ParleyClient): Promise<void> {
  try {
    const { ok, status } = await fetch(`${address}${SCHEDULED_PATH}`);
    if (!ok) console.error(`The scheduled work failed with status ${status}.`);
  } catch (error) {
    console.error(`The scheduled work failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
