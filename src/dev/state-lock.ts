/**
 * The lock of a local state folder: a file with the id of the process that uses it.
 *
 * Reads and writes that file.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./program.ts";

/**
 * Locks a state folder until this process exits. Two servers on one folder would write to the same objects.
 *
 * @throws {@link UserError} when another running process has the lock
 */
export function lockState(folder: string): void {
  const file = join(folder, "served-by");
  const owner = ownerOf(file);
  if (owner !== null) {
    throw new UserError(
      `Another Parley (process ${owner}) uses the state folder ${folder}.\n` +
        "Give this one a folder of its own: npm start -- --port 8799 --persist-to .wrangler/other",
    );
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, String(process.pid));
  process.on("exit", () => rmSync(file, { force: true }));
}

/** @returns the id of the running process that has the lock, or `null` */
function ownerOf(file: string): number | null {
  try {
    const owner = Number(readFileSync(file, "utf8"));
    process.kill(owner, 0);
    return owner;
  } catch {
    return null;
  }
}
