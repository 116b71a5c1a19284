/** Part `bundle`: the size of the Worker that a deployment uploads. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Finding } from "./report.ts";
import { printTable } from "./report.ts";
import { PARLEY_CONFIG } from "./servers.ts";
import { wrangler } from "./wrangler.ts";

export async function bundle(scratch: string): Promise<Finding[]> {
  const outdir = join(scratch, "bundle");
  await wrangler("deploy", "--dry-run", "-c", PARLEY_CONFIG, "--outdir", outdir);
  const uploaded = readdirSync(outdir).filter((name) => !name.endsWith(".map") && name !== "README.md");
  const parts = uploaded.map((name) => readFileSync(join(outdir, name)));
  const inKb = (bytes: number) => bytes / 1024;
  const total = (sizes: number[]) => inKb(sizes.reduce((sum, size) => sum + size, 0));
  const zipped = total(parts.map((part) => gzipSync(part).length));
  printTable("Bundle, as wrangler.toml builds it", [
    ["", "KB", "KB gzip"],
    [uploaded.join(", "), total(parts.map((part) => part.length)).toFixed(0), zipped.toFixed(0)],
  ]);
  return [{ measure: "bundle, gzip", value: zipped, unit: " KB", target: { atMost: 110 } }];
}
