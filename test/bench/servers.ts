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

/** What is measured against what: Parley, the bare Worker, and the model's server that both ask. */
export interface Servers {
  parley: Server;
  bare: Server;
  upstream: Upstream;
  stop: () => Promise<void>;
}

/** Makes the state of a Parley without any data. @returns the directory */
export async function emptyParley(scratch: string): Promise<string> {
  const state = join(scratch, "empty");
  await migrate({ config: PARLEY_CONFIG, state });
  return state;
}

/** A copy of a Parley's state. @returns the directory */
export function copyOf(state: string, name: string): string {
  const copy = join(state, "..", name);
  cpSync(state, copy, { recursive: true });
  return copy;
}

export const serveParley = (state: string): Promise<Server> =>
  serve({ config: PARLEY_CONFIG, state, vars: PARLEY_VARS });

/** @param empty the state of a Parley without any data; it is left as it is */
export async function startServers(empty: string): Promise<Servers> {
  const bareState = join(empty, "..", "bare");
  await migrate({ config: BARE_CONFIG, state: bareState });
  const parley = await serveParley(copyOf(empty, "parley"));
  const bare = await serve({ config: BARE_CONFIG, state: bareState });
  const upstream = await startUpstream();
  const stop = async () => {
    upstream.close();
    await Promise.all([parley.stop(), bare.stop()]);
  };
  return { parley, bare, upstream, stop };
}
