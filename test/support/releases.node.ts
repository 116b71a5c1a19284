/**
 * Two releases at once, as during a deployment: the Worker of one and the objects of the other, in workerd, on one database. The
 * last release is its bundle, in `test/fixtures/last-release`; `npm run release:freeze` replaces it.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_readConfig as readConfig, unstable_splitSqlQuery as splitSqlQuery } from "wrangler";
import { ROOT, wrangler } from "../bench/wrangler.ts";

const LAST_RELEASE = join(ROOT, "test/fixtures/last-release/worker.js.br");

/** The code of a Worker, as a deployment uploads it. */
export type Bundle = string;

/** Builds this release. */
export async function buildBundle(): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bundle-"));
  try {
    await wrangler("deploy", "--dry-run", "-c", "wrangler.toml", "--outdir", folder);
    return readFileSync(join(folder, "index.js"), "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const lastRelease = (): Bundle => brotliDecompressSync(readFileSync(LAST_RELEASE)).toString();

/** Makes a bundle the last release. */
export function freeze(bundle: Bundle): void {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(LAST_RELEASE, brotliCompressSync(bundle, { params }));
}

export interface Workerd {
  /** The address of the Worker itself: `wrangler dev` has a proxy in front, which hides that a caller has left. */
  url: URL;
  stop: () => Promise<void>;
}

/** Starts a Worker on a free port, with objects that may be of another release, and an empty database. */
export async function startWorkerd(worker: Bundle, objects: Bundle, vars: Record<string, string>): Promise<Workerd> {
  const { compatibility_date: compatibilityDate = "", compatibility_flags: compatibilityFlags } = readConfig({
    config: join(ROOT, "wrangler.toml"),
  });
  const objectOf = (className: string) => ({ className, scriptName: "objects", useSQLite: true });
  const scriptOf = (name: string, contents: Bundle) => ({
    name,
    modules: [{ type: "ESModule" as const, path: "index.js", contents }],
    compatibilityDate,
    compatibilityFlags,
    bindings: { TIME_ZONE: "UTC", RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1", ...vars },
    d1Databases: { DB: "parley" },
    durableObjects: {
      SESSIONS: objectOf("SessionObject"),
      ENDPOINTS: objectOf("EndpointObject"),
      RUNS: { className: "RunObject", scriptName: "worker", useSQLite: true },
    },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ workers: [scriptOf("worker", worker), scriptOf("objects", objects)] }),
  );
  await miniflare.ready;
  const database = await miniflare.getD1Database("DB", "worker");
  for (const file of readdirSync(join(ROOT, "migrations"))
    .filter((name) => name.endsWith(".sql"))
    .toSorted()) {
    for (const sql of splitSqlQuery(readFileSync(join(ROOT, "migrations", file), "utf8")))
      await database.prepare(sql).run();
  }
  return { url: await miniflare.unsafeGetDirectURL("worker"), stop: () => miniflare.dispose() };
}
