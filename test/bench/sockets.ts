/** Part `sockets`: how long a message takes to reach all sockets of one session. */
import { closeAll, openFollowers, nextEvent } from "./followers.ts";
import { appendMessage, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { median } from "./statistics.ts";

const SOCKETS = 500;

/** Measured messages. One more is sent before and does not count. */
const MESSAGES = 20;

/** Milliseconds from sending a message to its answer, and to its first and last socket. */
interface Delivery {
  answered: number;
  first: number;
  last: number;
}

export async function sockets({ parley, upstream }: Servers): Promise<Finding[]> {
  const toParley = parleyClient(parley.origin);
  const endpoint = await createEndpoint(toParley, "sockets", upstream.baseUri(0));
  const session = await (await createSessionMaker(toParley, endpoint))();
  const [opened, openMs] = await timed(() =>
    openFollowers(
      parley,
      Array.from({ length: SOCKETS }, () => session),
    ),
  );
  const append = () => appendMessage(toParley, session);
  await deliver(opened, append);
  const deliveries: Delivery[] = [];
  for (let nth = 0; nth < MESSAGES; nth++) deliveries.push(await deliver(opened, append));
  const [, closeMs] = await timed(() => closeAll(opened));
  toParley.close();
  report(deliveries, openMs, closeMs);
  return [];
}

async function deliver(opened: WebSocket[], append: () => Promise<{ ms: number }>): Promise<Delivery> {
  const arrivals = Promise.all(opened.map((socket) => nextEvent(socket, "message-appended")));
  const sent = performance.now();
  const [{ ms }, moments] = await Promise.all([append(), arrivals]);
  return { answered: ms, first: Math.min(...moments) - sent, last: Math.max(...moments) - sent };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  return [await work(), performance.now() - started];
}

function report(deliveries: Delivery[], openMs: number, closeMs: number): void {
  const row = (name: string, values: number[]) => [name, inMs(median(values)), inMs(Math.max(...values))];
  printTable(`A message to ${SOCKETS} sockets on one session, from sending it (one process has all sockets)`, [
    ["", "p50 ms", "max ms"],
    row(
      "the first socket has it",
      deliveries.map(({ first }) => first),
    ),
    row(
      "the last socket has it",
      deliveries.map(({ last }) => last),
    ),
    row(
      "the call is answered",
      deliveries.map(({ answered }) => answered),
    ),
  ]);
  console.info(`  Opening them took ${inMs(openMs)} ms, closing them ${inMs(closeMs)} ms`);
}
