/**
 * `npm start`: serves Parley on this machine. Arguments after `--` go to `wrangler dev`.
 *
 * The steps of starting a server are in `server.ts`, the text that greets the person in `welcome.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf, isFree, isParley } from "./listening-address.ts";
import { UserError, runProgram } from "./program.ts";
import { startServer } from "./server.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import { welcomeText } from "./welcome.ts";

/** Wrangler still prints lines about its start when the server already answers. The welcome comes after them. */
const WRANGLER_OUTPUT_MS = 200;

await runProgram(async (stop) => {
  const settings = readSettings(process.argv.slice(2));
  await requireFreePort(settings);
  console.info("Preparing the local database …");
  const server = await startServer(settings, "shared", stop);
  const text = await welcomeText(server);
  await sleep(WRANGLER_OUTPUT_MS);
  console.info(text);
  const code = await server.ended;
  return stop.aborted ? 0 : code;
});

async function requireFreePort({ protocol, ip, port }: Settings): Promise<void> {
  if (await isFree(ip, port)) return;
  const address = addressOf(protocol, ip, port);
  if (await isParley(address)) {
    throw new UserError(
      `Parley is already running at ${address}. To run a second one, give it another port and another state folder:\n` +
        `npm start -- --port ${port + 1} --persist-to .wrangler/other`,
    );
  }
  throw new UserError(
    `Another program uses port ${port}. Stop that program, or choose another port:\nnpm start -- --port ${port + 1}`,
  );
}
