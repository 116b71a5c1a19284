/**
 * Parley's bundle in bare workerd. `wrangler dev` has a proxy in front, which hides from the Worker that a caller has left.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_readConfig as readConfig, unstable_splitSqlQuery as splitSqlQuery } from "wrangler";
import { ROOT, wrangler } from "../bench/wrangler.ts";

export interface Workerd {
  origin: string;
  /** Sends a call over a connection of its own. Reset it with `resetAndDestroy`. */
  call: (path: string, token: string) => Socket;
  stop: () => Promise<void>;
}

/** Builds and starts the Worker on a free port, with an empty database. */
export async function startWorkerd(vars: Record<string, string>): Promise<Workerd> {
  const folder = mkdtempSync(join(tmpdir(), "parley-workerd-"));
  await wrangler("deploy", "--dry-run", "-c", "wrangler.toml", "--outdir", folder);
  const { compatibility_date: compatibilityDate = "", compatibility_flags: compatibilityFlags } = readConfig({
    config: join(ROOT, "wrangler.toml"),
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: join(folder, "index.js") }],
      modulesRoot: folder,
      compatibilityDate,
      compatibilityFlags,
      bindings: { TIME_ZONE: "UTC", RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1", ...vars },
      d1Databases: { DB: "parley" },
      durableObjects: {
        SESSIONS: { className: "SessionObject", useSQLite: true },
        ENDPOINTS: { className: "EndpointObject", useSQLite: true },
      },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  await miniflare.ready;
  const database = await miniflare.getD1Database("DB");
  for (const file of readdirSync(join(ROOT, "migrations"))
    .filter((name) => name.endsWith(".sql"))
    .toSorted()) {
    for (const sql of splitSqlQuery(readFileSync(join(ROOT, "migrations", file), "utf8")))
      await database.prepare(sql).run();
  }
  const { host, hostname, port, origin } = await miniflare.unsafeGetDirectURL();
  return {
    origin,
    call: (path, token) => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
      return socket;
    },
    stop: async () => {
      await miniflare.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
