/**
 * `npm run migration:tables`: writes the first migration again from `src/store/tables.ts` and the other files of tables beside it, for changes before anyone has deployed.
 * Afterwards, tables change by further migrations (`npm run migration`).
 *
 * Writes to `migrations`.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "./settings.ts";

/** Tables that are read by their key only. drizzle-kit cannot say so. */
const WITHOUT_ROWID = ["feedback_counts", "feedback_tags", "revocations", "session_counts", "session_uses", "turns"];

const folder = mkdtempSync(join(tmpdir(), "parley-tables-"));
try {
  // drizzle-kit takes the folder as relative to the project, also when it begins with a slash.
  const out = relative(ROOT, folder);
  const options = { dialect: "sqlite", schema: "src/store/*tables.ts", casing: "snake_case", name: "tables", out };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync("drizzle-kit", ["generate", ...flags], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });

  let tables = readFileSync(join(folder, "0000_tables.sql"), "utf8");
  for (const name of WITHOUT_ROWID)
    tables = tables.replace(new RegExp(`(CREATE TABLE \`${name}\` \\([^;]*\\));`), "$1 WITHOUT ROWID;");
  writeFileSync(join(ROOT, "migrations/0000_tables.sql"), tables);
  copyFileSync(join(folder, "meta/0000_snapshot.json"), join(ROOT, "migrations/meta/0000_snapshot.json"));
} finally {
  rmSync(folder, { recursive: true });
}
