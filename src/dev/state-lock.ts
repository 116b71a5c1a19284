/**
 * The lock of a local state folder, so that only one server uses it.
 *
 * Opens a file in the folder with SQLite. The operating system releases SQLite's lock when the process ends, however it
 * ends: a process id in a file would outlive a process that is killed, and may by then be that of another program.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "./program.ts";

/**
 * Locks a state folder until this process exits, or until the returned function is called. Two servers on one folder
 * would write to the same objects.
 *
 * @throws {@link UserError} when another process has the lock
 */
export function lockState(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, "lock.sqlite"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch {
    lock.close();
    throw new UserError(
      `Another Parley uses the state folder ${folder}.\n` +
        "Stop it, or give this one a folder of its own: npm start -- --port 8799 --persist-to .wrangler/other\n" +
        "The demo can use the one that runs: PARLEY_URL=http://127.0.0.1:<its port> npm run demo",
    );
  }
  held.add(lock);
  return () => {
    held.delete(lock);
    lock.close();
  };
}

/** A database that nothing refers to would be closed when memory is collected, and its lock released. */
const held = new Set<DatabaseSync>();
