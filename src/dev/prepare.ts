/**
 * Prepares a start on this machine: migrates the local database and fills it when it is empty. `npm start` runs this program
 * with a state folder. `wrangler dev` alone runs it too, as the `[build]` command of `wrangler.toml`, and then it also adds
 * to `.dev.vars` the variables that `npm start` passes by itself.
 *
 * Does nothing when wrangler deploys or generates types, or was started by `npm start`. Wrangler runs the command again
 * whenever a source file changes, so what is slow is loaded only if the state is not prepared yet.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { migrationNames, readMigration } from "./migrations.ts";
import { runProgram } from "./program.ts";
import { DEFAULT_STATE_FOLDER, ROOT, SKIPS_PREPARATION, addMissingVariables, localAdminKey } from "./settings.ts";
import { lockState } from "./state-lock.ts";

await runProgram(async () => {
  const [stateFolder] = process.argv.slice(2);
  if (stateFolder !== undefined) await prepare(resolve(stateFolder));
  else if (process.env["WRANGLER_COMMAND"] === "dev" && !process.env[SKIPS_PREPARATION]) await prepareForWrangler();
  return 0;
});

async function prepareForWrangler(): Promise<void> {
  const added = addMissingVariables();
  if (added.length > 0) {
    console.info(`Added to .dev.vars for this machine: ${added.join(", ")}`);
    console.info(`The admin key is ${localAdminKey()}. /console is the console, /docs the documentation.`);
  }
  // Wrangler itself cannot hold the lock. But nothing starts beside a server that does.
  const release = lockState(DEFAULT_STATE_FOLDER);
  await prepare(DEFAULT_STATE_FOLDER);
  release();
}

/** Prepares a folder that is locked. */
async function prepare(stateFolder: string): Promise<void> {
  if (isPrepared(stateFolder)) return;
  const { fillDatabase, otherHistory } = await import("./fill-database.ts");
  if (hasOtherMigrations(stateFolder)) throw otherHistory(stateFolder);
  await fillDatabase(stateFolder);
  writeFileSync(markerIn(stateFolder), fingerprint());
}

/** Whether the folder has a database that was prepared with these migrations. The id of the database is in `wrangler.toml`. */
function isPrepared(stateFolder: string): boolean {
  const marker = markerIn(stateFolder);
  const exists = existsSync(join(stateFolder, "v3/d1")) && existsSync(marker);
  return exists && readFileSync(marker, "utf8") === fingerprint();
}

function markerIn(stateFolder: string): string {
  return join(stateFolder, "prepared");
}

/** Whether a migration that the folder's database was made with has another text now: it would not be applied again. */
function hasOtherMigrations(stateFolder: string): boolean {
  if (!existsSync(join(stateFolder, "v3/d1")) || !existsSync(markerIn(stateFolder))) return false;
  const [, ...applied] = readFileSync(markerIn(stateFolder), "utf8").split("\n");
  const current = new Set(migrationLines());
  return applied.length === 0 || applied.some((line) => !current.has(line));
}

/** A line for `wrangler.toml`, which has the id of the database, and one for each migration. */
function fingerprint(): string {
  return [hashOf(readFileSync(join(ROOT, "wrangler.toml"), "utf8")), ...migrationLines()].join("\n");
}

function migrationLines(): string[] {
  return migrationNames().map((name) => `${name} ${hashOf(readMigration(name))}`);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
