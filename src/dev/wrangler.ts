import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ROOT } from "./settings.ts";

/** How long wrangler may take to stop. */
const GRACE_MS = 5_000;

/** The most that is kept of an output that nobody watches, in characters. */
const KEPT_OUTPUT = 20_000;

/** Starts wrangler in the project's folder; it ends when the signal is aborted. */
export function spawnWrangler(given: string[], stdio: StdioOptions, stop: AbortSignal): ChildProcess {
  // The program itself and not its launcher, so that a signal reaches the process that knows how to stop the runtime.
  const program = fileURLToPath(import.meta.resolve("wrangler"));
  const child = spawn(process.execPath, ["--no-warnings", program, ...given], { cwd: ROOT, stdio, env: environment() });
  const end = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), GRACE_MS).unref();
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });
  return child;
}

/** Settles when the child is gone. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** Gathers what a child prints, to be shown if it fails. */
export function outputOf(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
  }
  return () => output.trim();
}

const environment = (): NodeJS.ProcessEnv => ({
  // Otherwise it asks Cloudflare at each start where on earth it is, and complains without a network.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  // Its version is chosen in package.json; an invitation to take another would be heard once a day.
  WRANGLER_HIDE_BANNER: "true",
  ...process.env,
});
