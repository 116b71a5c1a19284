/**
 * The static assets of the Worker: the console, the documentation and the OpenAPI document. They are made from the code itself.
 * Reads and writes the disk.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { apiDocument } from "../api-docs.ts";
import type { ApiDocument } from "../docs/site/openapi.ts";
import { documentationFiles } from "../docs/site/site.ts";
import { buildPages } from "./pages.ts";
import type { Files } from "./pages.ts";
import { ROOT } from "./settings.ts";

/** Where `wrangler.toml` looks for them. */
const FOLDER = join(ROOT, "dist/assets");

/** Writes each asset that is not there as it should be, and removes others: `wrangler dev` restarts when one changes. */
export async function writeAssets(): Promise<void> {
  const assets = await makeAssets();
  for (const [name, content] of Object.entries(assets)) {
    const path = join(FOLDER, name);
    if (readOrNull(path)?.equals(Buffer.from(content)) === true) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  for (const path of filesIn(FOLDER)) if (!(path in assets)) rmSync(join(FOLDER, path), { force: true });
}

/** @returns contents by the path of the file */
export async function makeAssets(): Promise<Files> {
  const { files, documentation } = await buildPages();
  return {
    ...files,
    ...(await documentationFiles(apiDocument as unknown as ApiDocument, documentation)),
    "openapi.json": JSON.stringify(apiDocument),
  };
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
