/** Serves a Worker with `wrangler dev`, and runs other wrangler commands. Also used by `test/node`. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runNode, startNode } from "./processes.ts";

/** The project's folder. */
export const ROOT = join(import.meta.dirname, "../..");

const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");

/** How long a server may take to answer after its start. */
export const STARTUP_TIMEOUT_MS = 60_000;

/** For children: no tracing, no metrics. */
export const localEnvironment = {
  cwd: ROOT,
  env: {
    ...process.env,
    // Tracing of local requests costs 0.4 ms each.
    X_LOCAL_OBSERVABILITY: "false",
    WRANGLER_SEND_METRICS: "false",
    NO_COLOR: "1",
  },
};

export interface WorkerSetup {
  /** Path of its wrangler.toml, relative to the project's folder. */
  config: string;
  /** The folder of its databases and objects. */
  state: string;
  vars?: Record<string, string>;
}

export interface Server {
  origin: string;
  /** Resident memory of each workerd process, in MB. Empty on systems without `/proc`. */
  residentMb: () => number[];
  /** CPU time that all its workerd processes have used, in milliseconds. */
  cpuMs: () => number;
  stop: () => Promise<void>;
  /** Kills it at once. */
  kill: () => Promise<void>;
}

/** Runs a wrangler command to its end. @returns its output */
export const wrangler = (...args: string[]): Promise<string> => runNode([WRANGLER, ...args], localEnvironment);

/** Migrates the Worker's local D1 database `DB`. */
export async function migrate({ config, state }: WorkerSetup): Promise<void> {
  await wrangler("d1", "migrations", "apply", "DB", "--local", "-c", config, "--persist-to", state);
}

/** Serves a Worker on a free port, and waits until it answers. */
export async function serve({ config, state, vars = {} }: WorkerSetup): Promise<Server> {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const address = ["--ip", "127.0.0.1", "--port", `${port}`, "--inspector-port", `${inspectorPort}`];
  const variables = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = [
    "dev",
    "--local",
    "-c",
    config,
    "--persist-to",
    state,
    "--log-level",
    "error",
    ...address,
    ...variables,
  ];
  const running = startNode([WRANGLER, ...args], localEnvironment);
  const origin = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + STARTUP_TIMEOUT_MS;
  while (!(await answers(origin))) {
    if (running.hasExited() || performance.now() > deadline) {
      throw new Error(`${config} does not start:\n${running.output()}`);
    }
    await sleep(100);
  }
  return {
    origin,
    kill: running.kill,
    residentMb: () => running.residentMb("workerd"),
    cpuMs: () => running.cpuMs("workerd"),
    async stop() {
      await running.end();
      if (running.output().trim() !== "") console.info(`\n${config} wrote:\n${running.output().trim()}`);
    },
  };
}

async function answers(origin: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(STARTUP_TIMEOUT_MS) });
    return status < 500;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
