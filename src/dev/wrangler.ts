/**
 * Runs wrangler, or a program of this folder, as a child process, and collects what it prints.
 *
 * Which commands are run, with which arguments, is decided elsewhere.
 */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ROOT, SKIPS_PREPARATION } from "./settings.ts";

/** How long wrangler may take to stop before it is killed. */
const STOP_TIMEOUT_MS = 5_000;

/** Of longer output only the end is kept. */
const MAX_OUTPUT_CHARACTERS = 20_000;

/** Starts wrangler in the project's folder. @param stop stops it */
export function spawnWrangler(args: string[], stdio: StdioOptions, stop: AbortSignal): ChildProcess {
  // The program itself, not its launcher: a signal must reach the process that stops the runtime.
  const program = fileURLToPath(import.meta.resolve("wrangler"));
  return spawnNode([program, ...args], stdio, stop);
}

/** Starts a program of this folder. @param stop stops it */
export const spawnProgram = (file: string, args: string[], stop: AbortSignal): ChildProcess =>
  spawnNode([join(import.meta.dirname, file), ...args], ["ignore", "pipe", "pipe"], stop);

function spawnNode(args: string[], stdio: StdioOptions, stop: AbortSignal): ChildProcess {
  const child = spawn(process.execPath, ["--no-warnings", ...args], { cwd: ROOT, stdio, env: environment() });
  const end = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS).unref();
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });
  return child;
}

/** Resolves when the child has exited. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** Collects what a child prints. @returns reads it so far */
export function collectOutput(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
  }
  return () => output.trim();
}

/** Lines in which wrangler names its own address, as one for callers. */
const LINE_WITH_ADDRESS = /Ready on http|cdn-cgi\/local\/scheduled/;

/** Prints what a wrangler prints, line by line. @param address where callers reach it, which it does not know */
export function printOutput({ stdout, stderr }: ChildProcess, address: string): void {
  for (const input of [stdout, stderr]) {
    if (!input) continue;
    createInterface({ input }).on("line", (line) =>
      console.info(LINE_WITH_ADDRESS.test(line) ? line.replace(/https?:\/\/[\w.:[\]]+/, address) : line),
    );
  }
}

const environment = (): NodeJS.ProcessEnv => ({
  // package.json pins the version, so a notice about a newer one is of no use. More settings are in `.env`.
  WRANGLER_HIDE_BANNER: "true",
  [SKIPS_PREPARATION]: "true",
  ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}),
  ...process.env,
});
