/** Starts what is measured: Parley, the bare Worker, and the server that plays the model. Manages their state folders. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { PARLEY_VARS } from "./parley.ts";
import type { Upstream } from "./upstream.ts";
import { startUpstream } from "./upstream.ts";
import type { Server } from "./wrangler.ts";
import { migrate, serve } from "./wrangler.ts";

/** Parley's configuration, from the project's folder. */
export const PARLEY_CONFIG = "wrangler.toml";

const BARE_CONFIG = "test/bench/bare/wrangler.toml";

/** `upstream` plays the model that both Workers call. */
export interface Servers {
  parley: Server;
  bare: Server;
  upstream: Upstream;
  stop: () => Promise<void>;
}

/** Creates the state of a Parley without data. @returns the directory */
export async function createEmptyState(scratch: string): Promise<string> {
  const state = join(scratch, "empty");
  await migrate({ config: PARLEY_CONFIG, state });
  return state;
}

/** @returns the directory of the copy */
export function copyState(state: string, name: string): string {
  const copy = join(state, "..", name);
  cpSync(state, copy, { recursive: true });
  return copy;
}

export const serveParley = (state: string): Promise<Server> =>
  serve({ config: PARLEY_CONFIG, state, vars: PARLEY_VARS });

/** @param empty state without data. It is copied, not changed */
export async function startServers(empty: string): Promise<Servers> {
  const bareState = join(empty, "..", "bare");
  await migrate({ config: BARE_CONFIG, state: bareState });
  const parley = await serveParley(copyState(empty, "parley"));
  const bare = await serve({ config: BARE_CONFIG, state: bareState });
  const upstream = await startUpstream();
  const stop = async () => {
    upstream.close();
    await Promise.all([parley.stop(), bare.stop()]);
  };
  return { parley, bare, upstream, stop };
}
