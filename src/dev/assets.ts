/**
 * The static assets of the Worker: the OpenAPI document, and its page. They are made from the code itself. Reads and writes
 * the disk.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiDocument } from "../api-docs.ts";
import { docsPage } from "../routes/openapi/docs-page.ts";
import { ROOT } from "./settings.ts";

/** Where `wrangler.toml` looks for them. */
const FOLDER = join(ROOT, "dist/assets");

/** Writes each asset that is not there as it should be: `wrangler dev` restarts when one changes. */
export async function writeAssets(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(await makeAssets())) {
    const path = join(FOLDER, name);
    if (readOrNull(path) !== text) writeFileSync(path, text);
  }
}

/** @returns text by the name of the file */
export const makeAssets = async (): Promise<Record<string, string>> => ({
  "openapi.json": JSON.stringify(apiDocument),
  "docs.html": String(await docsPage(apiDocument)),
});

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
