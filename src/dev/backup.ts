/**
 * `npm run backup` and `npm run restore`: copy D1, and the archive if there is one, into a folder of files, and back.
 *
 * Without `--remote` the database is the local one.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readBackup } from "./backup/read-backup.ts";
import { writeBackup } from "./backup/write-backup.ts";
import { openDeployedDatabase, openLocalDatabase } from "./database.ts";
import { migrate } from "./fill-database.ts";
import { UserError, runProgram } from "./program.ts";
import { DEFAULT_STATE_FOLDER, ROOT } from "./settings.ts";
import { lockState } from "./state-lock.ts";

const USAGE =
  "npm run backup -- [--remote | --persist-to <state folder>] --folder <folder for the files>\n" +
  "npm run restore -- [--remote | --persist-to <state folder>] --folder <folder with the files>";

await runProgram(async () => {
  const [command] = process.argv.slice(2);
  const { folder, remote, stateFolder } = readArguments(process.argv.slice(3));
  const report = (text: string) => console.info(text);
  if (command === "restore" && !remote) lockState(stateFolder);
  const { db, archive, close } = remote ? await openDeployedDatabase() : await openLocalDatabase(stateFolder);
  try {
    if (command === "restore" && !remote) await migrate(db, stateFolder);
    await (command === "restore" ? readBackup : writeBackup)(db, folder, report, archive);
  } finally {
    await close();
  }
  console.info(command === "restore" ? `Restored from ${folder}.` : `The backup is in ${folder}.`);
  return 0;
});

function readArguments(args: string[]): { folder: string; remote: boolean; stateFolder: string } {
  try {
    const options = {
      remote: { type: "boolean" },
      folder: { type: "string" },
      "persist-to": { type: "string" },
    } as const;
    const { folder, remote = false, "persist-to": state } = parseArgs({ args, options }).values;
    if (folder === undefined) throw new UserError(USAGE);
    const stateFolder = state === undefined ? DEFAULT_STATE_FOLDER : resolve(ROOT, state);
    return { folder: resolve(ROOT, folder), remote, stateFolder };
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${String(error)}\n\n${USAGE}`);
  }
}
