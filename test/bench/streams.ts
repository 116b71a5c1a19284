/** Part `streams`: the time that a streamed chat adds until the first words of the reply arrive. */
import type { Round } from "./comparison.ts";
import { compare, p50, printComparison } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { medianOfPairs } from "./statistics.ts";
import { FIRST_DELTA } from "./upstream.ts";

/** Times until the model begins its reply. */
const DELAYS_MS = [0, 50];

/** Each round has a new session. */
const LOAD = { rounds: 16, callers: 1, calls: 12 };

/** Is in a stream of Parley from the first delta on. */
const PARLEY_DELTA = "event: reply-delta\n";

const NAMES = {
  direct: "the model itself",
  proxy: "a Worker that only forwards to the model",
  bare: "bare Worker",
  parley: "Parley",
};

type Measured = Rounds<keyof typeof NAMES, Round>;

export async function streams(servers: Servers): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const delayMs of DELAYS_MS) {
    const measured = await measure(delayMs, servers);
    printComparison(
      `Streamed chat until its first delta, the model's reply begins after ${delayMs} ms`,
      measured,
      "bare",
      NAMES,
    );
    const value = addedToProxy(measured);
    console.info(`  Parley adds ${asRatio(value)} of what the forwarding Worker adds`);
    findings.push({
      measure: `first token, model of ${delayMs} ms, to a proxy`,
      value,
      unit: "x",
      target: { atMost: 3 },
    });
  }
  return findings;
}

function addedToProxy({ direct, proxy, parley }: Measured): number {
  const added = (rounds: Round[]) => rounds.map((round, at) => p50(round) - p50(direct[at] ?? round));
  return medianOfPairs(added(parley), added(proxy), (one, other) => one / other);
}

async function measure(delayMs: number, { parley, bare, upstream }: Servers): Promise<Measured> {
  const baseUri = upstream.baseUri(delayMs);
  const toModel = new HttpClient(baseUri);
  const toBare = new HttpClient(bare.origin);
  const toParley = parleyClient(parley.origin);
  const endpoint = await createEndpoint(toParley, `streams-${delayMs}`, baseUri);
  const createSession = await createSessionMaker(toParley, endpoint);
  const request = { model: "bench", stream: true, messages: [{ role: "user", content: MESSAGE_TEXT }] };
  const toBareWorker = (path: string) => async () => {
    const body = { content: MESSAGE_TEXT, upstream: baseUri };
    const conversation = crypto.randomUUID();
    return () => toBare.postUntil(FIRST_DELTA, `${path}?conversation=${conversation}`, body);
  };
  const measured = await compare(LOAD, {
    direct: { server: null, open: async () => () => toModel.postUntil(FIRST_DELTA, "/chat/completions", request) },
    proxy: { server: bare, open: toBareWorker("/proxy") },
    bare: { server: bare, open: toBareWorker("/stream") },
    parley: {
      server: parley,
      open: async () => {
        const path = chatPath(await createSession());
        const events = { accept: "text/event-stream" };
        return () => toParley.postUntil(PARLEY_DELTA, path, { content: MESSAGE_TEXT }, events);
      },
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}
