// `npm run demo`: walks through what Parley is for, against the one that runs, or one that it starts for the while.
import { chatStep } from "./demo-steps/chat.ts";
import { fanOutStep } from "./demo-steps/fan-out.ts";
import { socketStep } from "./demo-steps/socket.ts";
import { isFree, isParley } from "./listening-address.ts";
import { ParleyClient, RequestFailed } from "../client/parley-client.ts";
import { UserError, run } from "./program.ts";
import { startServer } from "./server.ts";
import { DEFAULT_ADDRESS, DEFAULT_PORT, LOOPBACK, localAdminKey, readSettings } from "./settings.ts";
import type { DemoStep } from "./terminal.ts";
import { announce, remark } from "./terminal.ts";

const ACTS: DemoStep[] = [chatStep, fanOutStep, socketStep];

await run(async (stop) => {
  const close = new AbortController();
  const parley = await openParley(AbortSignal.any([stop, close.signal]));
  try {
    await perform(parley, stop);
    return 0;
  } finally {
    close.abort();
  }
});

/** Plays every act, and removes what it made, whether it came to its end or not. */
async function perform(parley: ParleyClient, stop: AbortSignal): Promise<void> {
  const made: string[] = [];
  const interrupted = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(new UserError("")));
  });
  try {
    for (const [index, { title, play }] of ACTS.entries()) {
      announce(index + 1, title);
      await Promise.race([play({ parley, mine: (path) => made.push(path) }), interrupted]);
    }
  } catch (error) {
    throw error instanceof RequestFailed ? new UserError(advice(error, parley)) : error;
  } finally {
    // The newest first: what came later may stand on what came before.
    for (const path of made.toReversed()) await parley.remove(path).catch(() => {});
  }
  console.info();
  remark("That was all. What the demo made, it has removed again.");
}

function advice({ status, message }: RequestFailed, { address }: ParleyClient): string {
  if (status !== 401 && status !== 403) return message;
  return `The Parley at ${address} wants the key of an admin: set PARLEY_KEY to it.`;
}

async function openParley(stop: AbortSignal): Promise<ParleyClient> {
  const named = process.env["PARLEY_URL"]?.replace(/\/+$/, "");
  const address = named || DEFAULT_ADDRESS;
  if (await isParley(address)) {
    remark(`Playing at ${address}.`);
    return new ParleyClient(address, process.env["PARLEY_KEY"] || localAdminKey());
  }
  if (named) throw new UserError(`No Parley answers at ${named}. Is PARLEY_URL right, and does it run?`);
  // Port 0 stands for any that is free.
  const port = (await isFree(LOOPBACK, DEFAULT_PORT)) ? DEFAULT_PORT : 0;
  remark("No Parley runs here: starting one for the demo …");
  const { parley } = await startServer(readSettings(["--port", String(port)]), "hidden", stop);
  remark(`Playing at ${parley.address}.`);
  return parley;
}
