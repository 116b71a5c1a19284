/** Runs the JavaScript of a guide as a program of its own. Starts a process; runs in Node. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** In the project, so that examples find its packages. */
const PARENT = new URL("../node/docs/", import.meta.url).pathname;

/** @returns what the program prints @throws what it prints when it fails */
export async function runExample(code: string, env: Record<string, string>): Promise<string> {
  const folder = mkdtempSync(join(PARENT, "example-"));
  try {
    const file = join(folder, "example.mjs");
    writeFileSync(file, code);
    return (await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...env } })).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
