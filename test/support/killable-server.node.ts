/** A server that a test kills and starts again on the same state. Starts processes; runs in Node. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ParleyClient } from "../../src/client/index.ts";
import { cleanUpAtExit } from "../bench/processes.ts";
import { migrate, serve } from "../bench/wrangler.ts";

const ADMIN_KEY = "kill-admin-key-0123456789abcdef01";

export interface KillableServer {
  /** A client of the server as it is now: its address changes with each start. */
  parley: () => ParleyClient;
  /** @returns the body of an answer below 400, and throws for others */
  call: <T>(method: "GET" | "POST", path: string, body?: object) => Promise<T>;
  /** Kills the server, and starts it again after what the callers of the first one were waiting for has failed. */
  killAndStart: (callers?: Promise<unknown>) => Promise<void>;
  /** Stops the server and removes its state. */
  stop: () => Promise<void>;
}

export async function startKillableServer(): Promise<KillableServer> {
  cleanUpAtExit();
  const state = mkdtempSync(join(tmpdir(), "parley-kill-"));
  const vars = { ADMIN_KEY, RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1" };
  const setup = { config: "wrangler.toml", state, vars };
  await migrate(setup);
  let server = await serve(setup);
  const parley = () => new ParleyClient({ url: server.origin, token: ADMIN_KEY });
  return {
    parley,
    call: (method, path, body) => parley().connection.call({ method, path, body, repeats: "never", retries: 0 }),
    async killAndStart(callers) {
      await server.kill();
      await callers;
      server = await serve(setup);
    },
    async stop() {
      await server.stop();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
