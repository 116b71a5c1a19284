/**
 * `npm run demo`: shows the main uses of Parley, step by step. It runs against the server at `PARLEY_URL`, or the one on the
 * default port, or starts one.
 *
 * Each use is one file in `demo-steps`. Everything that the demo creates is deleted at the end.
 */
import { ParleyError } from "../client/index.ts";
import type { ParleyClient } from "../client/index.ts";
import { bridgeStep } from "./demo-steps/bridge.ts";
import { chatStep } from "./demo-steps/chat.ts";
import type { DemoStep } from "./demo-steps/demo-step.ts";
import { fanOutStep } from "./demo-steps/fan-out.ts";
import { socketStep } from "./demo-steps/socket.ts";
import { takeoverStep } from "./demo-steps/takeover.ts";
import { isFree } from "./listening-address.ts";
import { UserError, runProgram } from "./program.ts";
import { explainRefusal, findServer } from "./running-server.ts";
import { startServer } from "./server.ts";
import { DEFAULT_PORT, LOOPBACK, readSettings } from "./settings.ts";
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
    throw error instanceof ParleyError ? new UserError(explainRefusal(error, parley.connection.url, "admin")) : error;
  } finally {
    // The newest first: a chatbot cannot be deleted before its sessions.
    for (const path of created.toReversed()) await parley.connection.call({ method: "DELETE", path }).catch(() => {});
  }
  console.info();
  printRemark("That is the end of the demo. Everything that it created is deleted again.");
}

async function findOrStartServer(stop: AbortSignal): Promise<ParleyClient> {
  const found = await findServer();
  if (found) {
    printRemark(`Using Parley at ${found.connection.url}.`);
    return found;
  }
  printRemark("No Parley is running here. Starting one for the demo …");
  // Port 0 means any free port.
  const port = (await isFree(LOOPBACK, DEFAULT_PORT)) ? DEFAULT_PORT : 0;
  const server = await startServer(readSettings(["--port", String(port)]), "hidden", stop);
  printRemark(`Parley runs at ${server.address}.`);
  return server.parley;
}
