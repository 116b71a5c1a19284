/**
 * Part `chat`: what a chat adds to its model, in time and in CPU time.
 *
 * The proxy stands for a gateway that stores nothing. It hands on the model's stream without a look at it. A gateway that reads the
 * events has more work than that; one that asks the model for a whole answer, in place of a stream, has other work.
 */
import type { Load, Round } from "./comparison.ts";
import { atLeast, atMost, compare, printComparison, ratio } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs } from "./report.ts";
import type { Servers } from "./servers.ts";
import { median, quantile } from "./statistics.ts";
import type { Rounds } from "./statistics.ts";

/** Each caller of a round has a new session. */
const WARM_UP = { rounds: 10, callers: 8, calls: 12 };
const ONE_CALLER = { rounds: 16, callers: 1, calls: 12 };
const MANY_CALLERS = { rounds: 8, callers: 16, calls: 12 };

/** Time until a model begins its reply that is not at once. */
const DELAY_MS = 20;

const NAMES = {
  direct: "the model itself",
  proxy: "a Worker that only forwards to the model",
  bare: "bare Worker",
  parley: "Parley",
};

type Measured = Rounds<keyof typeof NAMES, Round>;

export async function chat(servers: Servers): Promise<Finding[]> {
  await measure(servers, WARM_UP, 0);
  const one = await measure(servers, ONE_CALLER, 0);
  printComparison("Chat, one caller, a model of 0 ms", one, "bare", NAMES);
  const many = await measure(servers, MANY_CALLERS, 0);
  printComparison("Chat, 16 callers, a model of 0 ms", many, "bare", NAMES);
  const delayed = await measure(servers, MANY_CALLERS, DELAY_MS);
  printComparison(`Chat, 16 callers, a model of ${DELAY_MS} ms`, delayed, "bare", NAMES);
  console.info(`  Parley adds ${addedMs(delayed, 0.5)} ms to the model at p50, ${addedMs(delayed, 0.99)} ms at p99`);
  const cpuMs = ({ cpuMs: value }: Round) => value;
  const rate = ({ rate: value }: Round) => value;
  return [
    atMost("chat, CPU, one caller", ratio(cpuMs, one.parley, one.bare), 2.2),
    atMost("chat, CPU, 16 callers", ratio(cpuMs, many.parley, many.bare), 2.2),
    atLeast("chat rate, 16 callers", ratio(rate, many.parley, many.bare), 0.67),
    atLeast("chat rate, 16 callers, to a proxy", ratio(rate, many.parley, many.proxy), 0.5),
  ];
}

function addedMs({ direct, parley }: Measured, part: number): string {
  const added = parley.map(
    ({ timesMs }, round) => quantile(timesMs, part) - quantile(direct[round]?.timesMs ?? [], part),
  );
  return inMs(median(added));
}

async function measure({ parley, bare, upstream }: Servers, load: Load, delayMs: number): Promise<Measured> {
  const baseUri = upstream.baseUri(delayMs);
  const toModel = new HttpClient(baseUri, {}, load.callers);
  const toBare = new HttpClient(bare.origin, {}, load.callers);
  const toParley = parleyClient(parley.origin, load.callers);
  const endpoint = await createEndpoint(toParley, `chat-${delayMs}-${load.callers}`, baseUri);
  const createSession = await createSessionMaker(toParley, endpoint);
  const request = { model: "bench", stream: true, messages: [{ role: "user", content: MESSAGE_TEXT }] };
  const toBareWorker = (path: string) => async () => {
    const conversation = crypto.randomUUID();
    const body = { content: MESSAGE_TEXT, upstream: baseUri };
    return async () => (await toBare.post(`${path}?conversation=${conversation}`, body)).ms;
  };
  const measured = await compare(load, {
    direct: { server: null, open: async () => async () => (await toModel.post("/chat/completions", request)).ms },
    proxy: { server: bare, open: toBareWorker("/proxy") },
    bare: { server: bare, open: toBareWorker("/chat") },
    parley: {
      server: parley,
      open: async () => {
        const path = chatPath(await createSession());
        return async () => (await toParley.post(path, { content: MESSAGE_TEXT })).ms;
      },
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}
