/**
 * A program that serves a built Worker on a socket of the Worker's own. Under `wrangler dev` each call also passes an entry Worker
 * and a proxy, which take more than half of the time of a short one. Prints its address and that of its inspector, and ends with SIGTERM.
 *
 * It serves static assets only to the part that measures what they cost: with them, the socket leads to two Workers of the local
 * runtime, a proxy and the router of assets, and only then to this one.
 *
 * Its argument is a `BundleSetup` in JSON.
 */
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from "wrangler";
import type { BundleSetup } from "./runtime.ts";

/** What `[assets]` says. */
interface AssetSettings {
  directory: string;
  run_worker_first?: string[];
}

async function serveBundle({
  config,
  bundle,
  state,
  vars,
  assets,
  assetsConfig = config,
  heapMb,
}: BundleSetup): Promise<[origin: string, inspector: string]> {
  const { assets: _own, ...workerOptions } = readWorkerOptions(config).workerOptions;
  const served = (readWorkerOptions(assetsConfig).workerOptions.assets ?? {}) as AssetSettings;
  const { run_worker_first: _, ...allLookedUp } = served;
  const name = "measured";
  // Miniflare takes flags of the engine only here.
  if (heapMb !== undefined) process.env["MINIFLARE_WORKERD_V8_FLAGS"] = `--max-heap-size=${heapMb}`;
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: state,
      cf: false,
      inspectorPort: 0,
      telemetry: { enabled: false },
      handleStructuredLogs: ({ level, message }) => {
        if (level === "warn" || level === "error") console.error(message);
      },
      workers: [
        {
          ...workerOptions,
          ...(assets && { assets: assets === "as-configured" ? served : allLookedUp }),
          name,
          modules: [{ type: "ESModule", path: "index.js", contents: readFileSync(bundle, "utf8") }],
          bindings: { ...(workerOptions.bindings as Record<string, string>), ...vars },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  process.once("SIGTERM", () => void runtime.dispose().finally(() => process.exit(0)));
  const { origin } = await runtime.unsafeGetDirectURL(name);
  return [origin, `${(await runtime.getInspectorURL()).href}core:user:${name}`];
}

const setup = JSON.parse(process.argv[2] ?? "{}") as BundleSetup;
console.info((await serveBundle(setup)).join("\n"));
