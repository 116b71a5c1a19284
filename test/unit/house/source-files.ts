/**
 * The source files of the project, as text, for the tests in this folder. They check rules that the linter cannot: over all
 * files at once, with type imports.
 *
 * Reads the disk. Rules belong in the tests.
 */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";

export const ROOT = new URL("../../../", import.meta.url).pathname;

export interface SourceFile {
  /** Relative to the project's folder. */
  path: string;
  text: string;
}

/** @param patterns globs, relative to the project's folder */
export const readFiles = (...patterns: string[]): SourceFile[] =>
  patterns
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .filter((path) => !path.includes("node_modules"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(ROOT + path, "utf8") }));

const IMPORT = /^(?:import|export)\b[^"';]*\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

/** What a file imports, types included: paths relative to the project's folder, and names of packages. */
export const importsOf = ({ path, text }: SourceFile): string[] =>
  [...text.matchAll(IMPORT)]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
    .map((name) => (name.startsWith(".") ? posix.join(posix.dirname(path), name) : name));

/** What a file imports when it runs. */
export const valueImportsOf = ({ path, text }: SourceFile): string[] =>
  importsOf({ path, text: text.replace(/^(?:import|export) type\b[^;]*;/gm, "") });

/** @returns whether a path is this file or folder, or in this folder */
export const isIn = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
