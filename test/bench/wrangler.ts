import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runNode, startNode } from "./processes.ts";

/** The project's folder. */
export const ROOT = join(import.meta.dirname, "../..");

const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");

/** How long a server may take until it answers. */
const START_MS = 60_000;

const options = {
  cwd: ROOT,
  env: {
    ...process.env,
    // Tracing of local requests costs 0.4 ms each.
    X_LOCAL_OBSERVABILITY: "false",
    WRANGLER_SEND_METRICS: "false",
    NO_COLOR: "1",
  },
};

/** A Worker as wrangler runs it. */
export interface WorkerSetup {
  /** Its wrangler.toml, from the project's folder. */
  config: string;
  /** The directory that holds its databases and objects. */
  state: string;
  vars?: Record<string, string>;
}

export interface Server {
  origin: string;
  /** What each process of its runtime holds of the memory, in MB; nothing where that cannot be told. */
  residentMb: () => number[];
  stop: () => Promise<void>;
  /** Ends it at once, in the middle of whatever it does. */
  kill: () => Promise<void>;
}

/** Runs a wrangler command to its end. @returns its output */
export const wrangler = (...args: string[]): Promise<string> => runNode([WRANGLER, ...args], options);

/** Brings the Worker's local D1 database, bound as `DB`, to its newest schema. */
export async function migrate({ config, state }: WorkerSetup): Promise<void> {
  await wrangler("d1", "migrations", "apply", "DB", "--local", "-c", config, "--persist-to", state);
}

/** Serves a Worker on a free port of this machine, and waits until it answers. */
export async function serve({ config, state, vars = {} }: WorkerSetup): Promise<Server> {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const where = ["--ip", "127.0.0.1", "--port", `${port}`, "--inspector-port", `${inspectorPort}`];
  const set = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = ["dev", "--local", "-c", config, "--persist-to", state, "--log-level", "error", ...where, ...set];
  const running = startNode([WRANGLER, ...args], options);
  const origin = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
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
    async stop() {
      await running.end();
      if (running.output().trim() !== "") console.info(`\n${config} wrote:\n${running.output().trim()}`);
    },
  };
}

async function answers(origin: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(START_MS) });
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
