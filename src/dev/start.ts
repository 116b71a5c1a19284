// `npm start`: serves Parley on this machine. What follows `--` goes to `wrangler dev`.
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf, isFree, isParley } from "./listening-address.ts";
import { UserError, run } from "./program.ts";
import { startServer } from "./server.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import { welcome } from "./welcome.ts";

/** How long the server takes to print the lines about its own start, once it answers. */
const SETTLING_MS = 200;

await run(async (stop) => {
  const settings = readSettings(process.argv.slice(2));
  await refuseTakenPort(settings);
  console.info("Preparing the local database …");
  const { parley, ended } = await startServer(settings, "shared", stop);
  const greeting = await welcome(parley);
  await sleep(SETTLING_MS);
  console.info(greeting);
  const code = await ended;
  return stop.aborted ? 0 : code;
});

async function refuseTakenPort({ protocol, ip, port }: Settings): Promise<void> {
  if (await isFree(ip, port)) return;
  const address = addressOf(protocol, ip, port);
  if (await isParley(address)) {
    throw new UserError(
      `Parley already runs at ${address}. To run another beside it, give it a port and a state of its own:\n` +
        `npm start -- --port ${port + 1} --persist-to .wrangler/other`,
    );
  }
  throw new UserError(
    `Port ${port} is taken by another program. Stop that one, or choose another port:\nnpm start -- --port ${port + 1}`,
  );
}
