import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./program.ts";

/**
 * Claims a state for this program until it exits: two servers on one state would write into each other's objects.
 *
 * @throws Complaint when another program that runs has claimed it
 */
export function claimState(folder: string): void {
  const file = join(folder, "served-by");
  const holder = holderOf(file);
  if (holder !== null) {
    throw new UserError(
      `The state in ${folder} is in use by another Parley (process ${holder}).\n` +
        "Give this one a state of its own: npm start -- --port 8799 --persist-to .wrangler/other",
    );
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, String(process.pid));
  process.on("exit", () => rmSync(file, { force: true }));
}

/** The process that has claimed a state and still runs, or `null`. */
function holderOf(file: string): number | null {
  try {
    const holder = Number(readFileSync(file, "utf8"));
    process.kill(holder, 0);
    return holder;
  } catch {
    return null;
  }
}
