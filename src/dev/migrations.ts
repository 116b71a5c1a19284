/**
 * The files of `migrations/`, as they are in this checkout.
 *
 * Reads the folder. How they are applied is in `fill-database.ts`.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./settings.ts";

const FOLDER = join(ROOT, "migrations");

/** The names of the files, in the order in which they are applied. */
export const migrationNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .toSorted();

export const readMigration = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
