import { HttpClient } from "./http-client.ts";
import { chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, median, medianOfPairs, quantile, typical } from "./statistics.ts";

/** How long the model takes to begin its reply, in milliseconds. */
const DELAYS_MS = [0, 50];

const ROUNDS = 24;

/** Turns in one session; each round has fresh ones. The first wakes the session and is not counted. */
const TURNS = 8;

/** Rounds that are not measured: code that has run a few times only is not what runs day after day. */
const WARM_UP_ROUNDS = 50;

const CONTENT = "Could you tell me where my parcel is? The number is 4711-0815.";

type Subject = "direct" | "bare" | "parley";

/** What a chat adds to the time that the model itself takes. */
export async function chat(servers: Servers): Promise<Finding[]> {
  const findings: Finding[] = [];
  await measure(0, WARM_UP_ROUNDS, servers);
  for (const delayMs of DELAYS_MS) findings.push(report(delayMs, await measure(delayMs, ROUNDS, servers)));
  return findings;
}

async function measure(
  delayMs: number,
  rounds: number,
  { parley, bare, upstream }: Servers,
): Promise<Rounds<Subject, number[]>> {
  const baseUri = upstream.baseUri(delayMs);
  const toModel = new HttpClient(baseUri);
  const toBare = new HttpClient(bare.origin);
  const toParley = parleyClient(parley.origin);
  const createSession = await createSessionMaker(
    toParley,
    await createEndpoint(toParley, `chat-${delayMs}-${rounds}`, baseUri),
  );
  const asked = { model: "bench", stream: true, messages: [{ role: "user", content: CONTENT }] };
  const measured = await interleave(rounds, {
    direct: () => converse(() => toModel.post("/chat/completions", asked)),
    bare: () => {
      const path = `/chat?conversation=${crypto.randomUUID()}`;
      return converse(() => toBare.post(path, { content: CONTENT, upstream: baseUri }));
    },
    parley: async () => {
      const path = chatPath(await createSession());
      return converse(() => toParley.post(path, { content: CONTENT }));
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}

async function converse(askOnce: () => Promise<{ ms: number }>): Promise<number[]> {
  await askOnce();
  const took: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) took.push((await askOnce()).ms);
  return took;
}

function report(delayMs: number, { direct, bare, parley }: Rounds<Subject, number[]>): Finding {
  const added = (rounds: number[][]) => rounds.map((round, at) => median(round) - median(direct[at] ?? []));
  const ratio = (rounds: number[][]) => medianOfPairs(added(rounds), added(bare), (one, other) => one / other);
  const row = (name: string, rounds: number[][]) => [
    name,
    inMs(typical(rounds)),
    inMs(quantile(rounds.flat(), 0.99)),
    ...(rounds === direct ? ["", ""] : [inMs(median(added(rounds))), asRatio(ratio(rounds))]),
  ];
  printTable(`Chat, the model's reply begins after ${delayMs} ms`, [
    ["", "p50 ms", "p99 ms", "added ms", "to bare"],
    row("the model itself", direct),
    row("bare Worker", bare),
    row("Parley", parley),
  ]);
  return {
    measure: `chat, time added to a model of ${delayMs} ms`,
    value: ratio(parley),
    unit: "x",
    target: { atMost: 2 },
  };
}
