/** Builds a Worker as a deployment does, and serves it in the runtime without wrangler. Measurements use this. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startNode } from "./processes.ts";
import { STARTUP_TIMEOUT_MS, localEnvironment, wrangler } from "./wrangler.ts";
import type { Server } from "./wrangler.ts";

/** What `bundle-server.ts` serves. */
export interface BundleSetup {
  /** Path of the Worker's wrangler.toml, relative to the project's folder: its bindings. */
  config: string;
  /** The built module. */
  bundle: string;
  /** The folder of its databases and objects. */
  state: string;
  vars: Record<string, string>;
  /** Serves the static assets of the configuration too. `all-looked-up`: as if it had no `run_worker_first`. */
  assets?: "as-configured" | "all-looked-up";
  /** The configuration whose assets these are, for a Worker that has none of its own. */
  assetsConfig?: string;
  /** The most memory of each isolate's heap, in MB. The platform gives 128, the runtime alone as much as there is. */
  heapMb?: number;
}

interface BuildOptions {
  /** Instead of the module that the configuration names. */
  main?: string;
  /** As the configuration says, unless it is `false`. */
  minify?: false;
}

/** @param outdir where to put it @returns path of the built module */
export async function buildWorker(
  config: string,
  outdir: string,
  { main, minify }: BuildOptions = {},
): Promise<string> {
  const module = main === undefined ? [] : [main];
  const names = minify === false ? ["--minify=false"] : [];
  await wrangler("deploy", ...module, "--dry-run", "-c", config, "--outdir", outdir, ...names);
  const modules = readdirSync(outdir).filter((name) => name.endsWith(".js"));
  return join(outdir, modules[0] ?? "");
}

/** The folder in which the runtime keeps databases and objects, in the folder that wrangler's `--persist-to` names. */
export const runtimeState = (state: string): string => join(state, "v3");

export interface BuiltServer extends Server {
  /** Address of the inspector: https://chromedevtools.github.io/devtools-protocol */
  inspector: string;
}

/** Serves a built Worker on a free port. */
export async function serveBuilt(setup: BundleSetup): Promise<BuiltServer> {
  const program = join(import.meta.dirname, "bundle-server.ts");
  const running = startNode(["--no-warnings", program, JSON.stringify(setup)], localEnvironment);
  const deadline = performance.now() + STARTUP_TIMEOUT_MS;
  const addresses = () => running.output().match(/^(?:http|ws):\/\/\S+$/gm) ?? [];
  while (addresses().length < 2) {
    if (running.hasExited() || performance.now() > deadline) {
      throw new Error(`${setup.bundle} does not start:\n${running.output()}`);
    }
    await sleep(5);
  }
  const [origin = "", inspector = ""] = addresses();
  return {
    origin,
    inspector,
    kill: running.kill,
    residentMb: () => running.residentMb("workerd"),
    cpuMs: () => running.cpuMs("workerd"),
    async stop() {
      await running.end();
      const written = running.output().replace(origin, "").replace(inspector, "").trim();
      if (written !== "") console.info(`\n${setup.bundle} wrote:\n${written}`);
    },
  };
}
