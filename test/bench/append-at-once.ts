import { HttpClient } from "./http-client.ts";
import { WITHOUT_LOG, createEndpoint, createSessionMaker, messagePath, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { interleave, median, medianOfPairs, quantile } from "./statistics.ts";

const CALLERS = 64;
const ROUNDS = 6;
const ROUND_MS = 2_000;

const MESSAGE = { role: "user", content: "Could you tell me where my parcel is? The number is 4711-0815." };

/** One round: how many appends a second went through, and how long each took. */
interface Burst {
  rate: number;
  took: number[];
}

/** How many messages go through when many callers send at once, each to a session of its own. */
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

/** Each path has a caller of its own, who appends there again and again until the time is over. */
async function burst(paths: string[], appendTo: (path: string) => Promise<{ ms: number }>): Promise<Burst> {
  const took: number[] = [];
  const started = performance.now();
  await Promise.all(
    paths.map(async (path) => {
      while (performance.now() - started < ROUND_MS) took.push((await appendTo(path)).ms);
    }),
  );
  return { took, rate: (took.length * 1000) / (performance.now() - started) };
}

function report({ bare, parley }: Record<"bare" | "parley", Burst[]>): Finding[] {
  const ratio = (rounds: Burst[]) => medianOfPairs(rounds, bare, (one, other) => one.rate / other.rate);
  const row = (name: string, rounds: Burst[]) => [
    name,
    median(rounds.map(({ rate }) => rate)).toFixed(0),
    inMs(median(rounds.map(({ took }) => median(took)))),
    inMs(
      quantile(
        rounds.flatMap(({ took }) => took),
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
