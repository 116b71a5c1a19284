/**
 * Opens Parley's D1, and the archive if there is one, for the programs of this folder: the local ones in a state folder, or
 * the deployed ones, by the bindings that the Worker has too.
 *
 * Reads `wrangler.toml`. Starts the Workers runtime, and for the deployed database a session with Cloudflare. Slow to load:
 * import it only where a database is needed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getPlatformProxy, unstable_readConfig as readConfig } from "wrangler";
import { UserError } from "./program.ts";
import { ROOT } from "./settings.ts";

export interface OpenDatabase {
  db: D1Database;
  /** The bucket of the binding `ARCHIVE`; `null` if `wrangler.toml` has none. */
  archive: R2Bucket | null;
  close: () => Promise<void>;
}

/** @param stateFolder absolute, as `--persist-to` of `wrangler dev` */
export const openLocalDatabase = (stateFolder: string): Promise<OpenDatabase> => openDatabase(stateFolder);

/** Needs `wrangler login`, or `CLOUDFLARE_API_TOKEN`. */
export const openDeployedDatabase = (): Promise<OpenDatabase> => openDatabase(null);

/** What is read of `wrangler.toml`. Wrangler's own type of it is in a package that it does not bring along. */
interface Config {
  name?: string;
  compatibility_date?: string;
  account_id?: string;
  d1_databases: { binding: string; database_id?: string }[];
  r2_buckets: { binding: string; bucket_name?: string }[];
}

async function openDatabase(stateFolder: string | null): Promise<OpenDatabase> {
  const wranglerConfig = readConfig({ config: join(ROOT, "wrangler.toml") }) as Config;
  const { name, compatibility_date, account_id, d1_databases, r2_buckets } = wranglerConfig;
  const database = d1_databases.find(({ binding }) => binding === "DB");
  if (!database) throw new UserError("wrangler.toml has no [[d1_databases]] with the binding DB.");
  const folder = mkdtempSync(join(tmpdir(), "parley-"));
  try {
    // Only the database: the objects of the whole configuration cannot run outside the Worker, and wrangler says so at length.
    const configPath = join(folder, "wrangler.json");
    const remote = stateFolder === null;
    const buckets = r2_buckets.filter(({ binding }) => binding === "ARCHIVE").map((bucket) => ({ ...bucket, remote }));
    const config = {
      name,
      compatibility_date,
      account_id,
      d1_databases: [{ ...database, remote }],
      r2_buckets: buckets,
    };
    writeFileSync(configPath, JSON.stringify(config));
    const { env, dispose } = await getPlatformProxy<{ DB: D1Database; ARCHIVE?: R2Bucket }>({
      configPath,
      persist: remote ? false : { path: join(stateFolder, "v3") },
      remoteBindings: remote,
    });
    return { db: env.DB, archive: env.ARCHIVE ?? null, close: dispose };
  } catch (error) {
    if (stateFolder !== null) throw error;
    throw new UserError(
      `The deployed database cannot be opened: ${firstLine(error)}\nIs wrangler logged in (npx wrangler login, or CLOUDFLARE_API_TOKEN)?`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
