/**
 * Starts a local server with `wrangler dev`, behind a proxy: prepares its state, serves it, and runs once what cron would run.
 *
 * Starts processes and calls the server. What the person sees of it is decided in `start.ts` and `demo.ts`.
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ParleyClient } from "../client/index.ts";
import { addressOf } from "./listening-address.ts";
import { UserError } from "./program.ts";
import { startReverseProxy } from "./reverse-proxy.ts";
import type { Settings } from "./settings.ts";
import { hasDefaultKey, isLoopback, LOOPBACK } from "./settings.ts";
import { lockState } from "./state-lock.ts";
import { collectOutput, exitCodeOf, printOutput, spawnProgram, spawnWrangler } from "./wrangler.ts";

/** How long a server with hidden output may take to start. */
const STARTUP_TIMEOUT_MS = 60_000;

const HEALTH_ATTEMPTS = 50;
const HEALTH_INTERVAL_MS = 200;

/** A call to this path of `wrangler dev` runs the cron trigger. */
const SCHEDULED_PATH = "/cdn-cgi/local/scheduled";

export interface LocalServer {
  parley: ParleyClient;
  address: string;
  /** Its admin key. */
  key: string;
  /** Resolves to the exit code. */
  ended: Promise<number>;
}

/** `shared`: its output is shown. `hidden`: its output is shown only if it fails to start. */
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
  const secret = randomUUID();
  const child = spawnWrangler(wranglerArguments(settings, secret), ["ignore", "pipe", "pipe", "ipc"], stop);
  const { protocol, ip, port } = settings;
  if (serverOutput === "shared") printOutput(child, addressOf(protocol, ip, port));
  const readOutput = collectOutput(child);
  const ended = exitCodeOf(child);
  const failure = Promise.race([
    ended.then((code): never => {
      throw new UserError(readOutput(), code);
    }),
    ...(serverOutput === "hidden" ? [startupTimeout(readOutput)] : []),
  ]);
  const served = listeningAddress(child).then((wrangler) => serve(settings, wrangler, secret, ended));
  const address = await Promise.race([served.then((at) => waitUntilReady(child, at)), failure]);
  await Promise.race([runScheduledWork(address), failure]);
  const key = settings.adminKey;
  return { parley: new ParleyClient({ url: address, token: key }), address, key, ended };
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

/** With https there is no proxy: a page of another name has no certificate for that name from this machine. */
const wranglerArguments = ({ protocol, ip, port, devArguments }: Settings, secret: string): string[] =>
  protocol === "https"
    ? [...devArguments, "--ip", ip, "--port", String(port)]
    : [...devArguments, "--ip", LOOPBACK, "--port", "0", "--var", `LOCAL_PROXY_SECRET:${secret}`];

/** Lets callers reach a wrangler that is ready. @returns the address at which they do */
async function serve(settings: Settings, wrangler: Address, secret: string, ended: Promise<number>): Promise<string> {
  const { protocol, ip, port, allowedHosts } = settings;
  if (protocol === "https") return addressOf(protocol, wrangler.ip, wrangler.port);
  const upstream = { host: wrangler.ip, port: wrangler.port };
  const proxy = await startReverseProxy({ listen: { ip, port }, upstream, secret, allowedHosts }).catch(
    (error: Error) => {
      throw new UserError(`The server cannot listen there: ${error.message}`);
    },
  );
  ended.then(proxy.close, proxy.close);
  return addressOf(protocol, ip, proxy.port);
}

interface Address {
  ip: string;
  port: number;
}

/** @returns the address */
async function waitUntilReady(child: ChildProcess, address: string): Promise<string> {
  for (let attempt = 0; attempt < HEALTH_ATTEMPTS && child.exitCode === null; attempt += 1) {
    if (await isHealthy(address)) break;
    await sleep(HEALTH_INTERVAL_MS);
  }
  return address;
}

/** Wrangler reports the address before the Worker is built. Calls wait until then. */
function listeningAddress(child: ChildProcess): Promise<Address> {
  return new Promise((resolve) => {
    child.on("message", (message: string) => {
      const { event, ...address } = JSON.parse(message) as Address & { event: string };
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
async function runScheduledWork(address: string): Promise<void> {
  try {
    const { ok, status } = await fetch(`${address}${SCHEDULED_PATH}`);
    if (!ok) console.error(`The scheduled work failed with status ${status}.`);
  } catch (error) {
    console.error(`The scheduled work failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
