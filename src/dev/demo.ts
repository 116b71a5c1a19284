/**
 * `npm run demo`: shows the main uses of Parley, step by step. It runs against the server at `PARLEY_URL`, or the one on the
 * default port, or starts one.
 *
 * Each use is one file in `demo-steps`. Everything that the demo creates is deleted at the end.
 */
import { ParleyClient, ParleyError } from "../client/index.ts";
import { bridgeStep } from "./demo-steps/bridge.ts";
import { chatStep } from "./demo-steps/chat.ts";
import type { DemoStep } from "./demo-steps/demo-step.ts";
import { fanOutStep } from "./demo-steps/fan-out.ts";
import { socketStep } from "./demo-steps/socket.ts";
import { takeoverStep } from "./demo-steps/takeover.ts";
import { isFree, isParley } from "./listening-address.ts";
import { UserError, runProgram } from "./program.ts";
import { startServer } from "./server.ts";
import { DEFAULT_ADDRESS, DEFAULT_PORT, LOOPBACK, localAdminKey, readSettings } from "./settings.ts";
import { printHeading, printRemark } from "./terminal.ts";

const STEPS: DemoStep[] = [chatStep, fanOutStep, socketStep, takeoverStep, bridgeStep];

await runProgram(async (stop) => {
  const closeServer = new AbortController();
  const parley = await findOrStartServer(AbortSignal.any([stop, closeServer.signal]));
  try {
    await runSteps(parley, stop);
    return 0;
  } finally {
    closeServer.abort();
  }
});

async function runSteps(parley: ParleyClient, stop: AbortSignal): Promise<void> {
  const created: string[] = [];
  const interrupted = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(new UserError("")));
  });
  try {
    for (const [index, step] of STEPS.entries()) {
      printHeading(index + 1, step.title);
      await Promise.race([step.run({ parley, deleteLater: (path) => created.push(path) }), interrupted]);
    }
  } catch (error) {
    throw error instanceof ParleyError ? new UserError(explain(error, parley)) : error;
  } finally {
    // The newest first: a chatbot cannot be deleted before its sessions.
    for (const path of created.toReversed()) await parley.connection.call({ method: "DELETE", path }).catch(() => {});
  }
  console.info();
  printRemark("That is the end of the demo. Everything that it created is deleted again.");
}

function explain({ status, message }: ParleyError, { connection }: ParleyClient): string {
  if (status !== 401 && status !== 403) return message;
  return `Parley at ${connection.url} needs an admin key. Set PARLEY_KEY to it and run the demo again.`;
}

async function findOrStartServer(stop: AbortSignal): Promise<ParleyClient> {
  const givenAddress = process.env["PARLEY_URL"]?.replace(/\/+$/, "");
  const address = givenAddress || DEFAULT_ADDRESS;
  if (await isParley(address)) {
    printRemark(`Using Parley at ${address}.`);
    return new ParleyClient({ url: address, token: process.env["PARLEY_KEY"] || localAdminKey() });
  }
  if (givenAddress)
    throw new UserError(`Parley does not answer at ${givenAddress}. Is it running? Is PARLEY_URL right?`);
  printRemark("No Parley is running here. Starting one for the demo …");
  // Port 0 means any free port.
  const port = (await isFree(LOOPBACK, DEFAULT_PORT)) ? DEFAULT_PORT : 0;
  const server = await startServer(readSettings(["--port", String(port)]), "hidden", stop);
  printRemark(`Parley runs at ${server.address}.`);
  return server.parley;
}
