/** Starts what is measured: Parley, the bare Worker, and the server that plays the model. Manages their state folders. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { PARLEY_VARS } from "./parley.ts";
import { buildWorker, runtimeState, serveBuilt } from "./runtime.ts";
import type { BuiltServer, BundleSetup } from "./runtime.ts";
import type { Upstream } from "./upstream.ts";
import { startUpstream } from "./upstream.ts";
import type { Server } from "./wrangler.ts";
import { migrate } from "./wrangler.ts";

/** Parley's configuration, from the project's folder. */
export const PARLEY_CONFIG = "wrangler.toml";

const BARE_CONFIG = "test/bench/bare/wrangler.toml";

/** What every part starts from: built Workers, and state folders without data. They are copied, not changed. */
export interface Built {
  parley: { bundle: string; empty: string };
  bare: { bundle: string; empty: string };
}

/** `upstream` plays the model that both Workers call. */
export interface Servers {
  parley: Server;
  bare: Server;
  upstream: Upstream;
  stop: () => Promise<void>;
}

/** Builds both Workers, and creates their empty databases. */
export async function build(scratch: string): Promise<Built> {
  const one = async (config: string, name: string) => {
    const empty = join(scratch, `${name}-empty`);
    await migrate({ config, state: empty });
    return { bundle: await buildWorker(config, join(scratch, `${name}-bundle`)), empty };
  };
  return { parley: await one(PARLEY_CONFIG, "parley"), bare: await one(BARE_CONFIG, "bare") };
}

/** @returns the directory of the copy */
export function copyState(state: string, name: string): string {
  const copy = join(state, "..", name);
  cpSync(state, copy, { recursive: true });
  return copy;
}

/** @param state its folder, as wrangler's `--persist-to` names it */
export const serveParley = (
  { parley: { bundle } }: Built,
  state: string,
  vars: Record<string, string> = {},
  assets: Pick<BundleSetup, "assets"> = {},
): Promise<BuiltServer> =>
  serveBuilt({
    config: PARLEY_CONFIG,
    bundle,
    state: runtimeState(state),
    vars: { ...PARLEY_VARS, ...vars },
    ...assets,
  });

/** @param assets those of Parley, since it has none */
export const serveBare = (
  { bare: { bundle } }: Built,
  state: string,
  assets: Pick<BundleSetup, "assets"> = {},
): Promise<Server> =>
  serveBuilt({
    config: BARE_CONFIG,
    bundle,
    state: runtimeState(state),
    vars: {},
    ...assets,
    assetsConfig: PARLEY_CONFIG,
  });

/** Starts both with empty state of their own. @param name of the state folders */
export async function startServers(built: Built, name: string): Promise<Servers> {
  const parley = await serveParley(built, copyState(built.parley.empty, `parley-${name}`));
  const bare = await serveBare(built, copyState(built.bare.empty, `bare-${name}`));
  const upstream = await startUpstream();
  const stop = async () => {
    upstream.close();
    await Promise.all([parley.stop(), bare.stop()]);
  };
  return { parley, bare, upstream, stop };
}
