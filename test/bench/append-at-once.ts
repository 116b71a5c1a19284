/** Part `append-at-once`: how many messages per second go through when many callers send, each to its own session. */
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, WITHOUT_LOG, createEndpoint, createSessionMaker, messagePath, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { interleave, median, medianOfPairs, quantile } from "./statistics.ts";

const CALLERS = 64;
const ROUNDS = 6;
const ROUND_MS = 2_000;

const MESSAGE = { role: "user", content: MESSAGE_TEXT };

/** One round: appends per second, and the time of each. */
interface Burst {
  rate: number;
  timesMs: number[];
}

export async function appendAtOnce({ parley, bare, upstream }: Servers): Promise<Finding[]> {
  const toBare = new HttpClient(bare.origin, {}, CALLERS);
  const toParley = parleyClient(parley.origin, CALLERS);
  const endpoint = await createEndpoint(toParley, "append-at-once", upstream.baseUri(0));
  const createSession = await createSessionMaker(toParley, endpoint);
  const sessions = await Promise.all(Array.from({ length: CALLERS }, createSession));
  const barePaths = sessions.map((id) => `/append?conversation=${id}`);
  const measured = await interleave(ROUNDS, {
    bare: () => burst(barePaths, (path) => toBare.post(path, MESSAGE)),
    parley: () => burst(sessions.map(messagePath), (path) => toParley.post(path, { message: MESSAGE }, WITHOUT_LOG)),
  });
  toBare.close();
  toParley.close();
  return report(measured);
}

/** Each path has a caller of its own, which appends one message after the other until the time is over. */
async function burst(paths: string[], appendTo: (path: string) => Promise<{ ms: number }>): Promise<Burst> {
  const timesMs: number[] = [];
  const started = performance.now();
  await Promise.all(
    paths.map(async (path) => {
      while (performance.now() - started < ROUND_MS) timesMs.push((await appendTo(path)).ms);
    }),
  );
  return { timesMs, rate: (timesMs.length * 1000) / (performance.now() - started) };
}

function report({ bare, parley }: Record<"bare" | "parley", Burst[]>): Finding[] {
  const ratio = (rounds: Burst[]) => medianOfPairs(rounds, bare, (one, other) => one.rate / other.rate);
  const row = (name: string, rounds: Burst[]) => [
    name,
    median(rounds.map(({ rate }) => rate)).toFixed(0),
    inMs(median(rounds.map(({ timesMs }) => median(timesMs)))),
    inMs(
      quantile(
        rounds.flatMap(({ timesMs }) => timesMs),
        0.99,
      ),
    ),
    asRatio(ratio(rounds)),
  ];
  printTable(`Append, ${CALLERS} sessions at once (Prefer: return=minimal)`, [
    ["", "a second", "p50 ms", "p99 ms", "rate to bare"],
    row("bare Worker", bare),
    row("Parley", parley),
  ]);
  return [{ measure: `append rate, ${CALLERS} at once`, value: ratio(parley), unit: "x", target: { atLeast: 0.9 } }];
}
