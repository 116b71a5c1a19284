/** Starts a server with a state folder of its own, for the tests of one file. Starts processes; runs in Node. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ParleyClient } from "../../src/client/index.ts";
import { startServer } from "../../src/dev/server.ts";
import { readSettings } from "../../src/dev/settings.ts";

export interface LocalServer {
  parley: ParleyClient;
  address: string;
  /** Its admin key. */
  key: string;
  /** The folder of its state, which is removed when it stops. */
  state: string;
  /** Stops the server and removes its state. */
  stop: () => Promise<void>;
}

/** @param variables of the Worker, over those of a local start */
export async function startLocalServer(variables: Record<string, string> = {}): Promise<LocalServer> {
  const state = mkdtempSync(join(tmpdir(), "parley-"));
  const stopped = new AbortController();
  const given = Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const settings = readSettings(["--port", "0", "--inspector-port", "0", "--persist-to", state, ...given]);
  const { ended, ...server } = await startServer(settings, "hidden", stopped.signal);
  const stop = async () => {
    stopped.abort();
    await ended;
    rmSync(state, { recursive: true });
  };
  return { ...server, state, stop };
}
