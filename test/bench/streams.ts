import { HttpClient } from "./http-client.ts";
import { chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, median, medianOfPairs, quantile, typical } from "./statistics.ts";
import { FIRST_DELTA } from "./upstream.ts";

/** How long the model takes to begin its reply, in milliseconds. */
const DELAYS_MS = [0, 50];

const ROUNDS = 12;

/** Turns in one session; each round has fresh ones. The first wakes the session and is not counted. */
const TURNS = 8;

const CONTENT = "Could you tell me where my parcel is? The number is 4711-0815.";

/** What an event stream of Parley's has in it from the first delta on. */
const PARLEY_DELTA = "event: reply-delta\n";

type Subject = "direct" | "bare" | "parley";

/** What a streamed chat adds to the time until the reply's first words are there. */
export async function streams(servers: Servers): Promise<Finding[]> {
  for (const delayMs of DELAYS_MS) report(delayMs, await measure(delayMs, servers));
  return [];
}

async function measure(delayMs: number, { parley, bare, upstream }: Servers): Promise<Rounds<Subject, number[]>> {
  const baseUri = upstream.baseUri(delayMs);
  const toModel = new HttpClient(baseUri);
  const toBare = new HttpClient(bare.origin);
  const toParley = parleyClient(parley.origin);
  const createSession = await createSessionMaker(
    toParley,
    await createEndpoint(toParley, `streams-${delayMs}`, baseUri),
  );
  const asked = { model: "bench", stream: true, messages: [{ role: "user", content: CONTENT }] };
  const events = { accept: "text/event-stream" };
  const measured = await interleave(ROUNDS, {
    direct: () => converse(() => toModel.postUntil(FIRST_DELTA, "/chat/completions", asked)),
    bare: () => {
      const path = `/stream?conversation=${crypto.randomUUID()}`;
      return converse(() => toBare.postUntil(FIRST_DELTA, path, { content: CONTENT, upstream: baseUri }));
    },
    parley: async () => {
      const path = chatPath(await createSession());
      return converse(() => toParley.postUntil(PARLEY_DELTA, path, { content: CONTENT }, events));
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}

/** Turn by turn, each to its end. @returns how long each took to its first delta */
async function converse(askOnce: () => Promise<number>): Promise<number[]> {
  await askOnce();
  const took: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) took.push(await askOnce());
  return took;
}

function report(delayMs: number, { direct, bare, parley }: Rounds<Subject, number[]>): void {
  const added = (rounds: number[][]) => rounds.map((round, at) => median(round) - median(direct[at] ?? []));
  const ratio = (rounds: number[][]) => medianOfPairs(added(rounds), added(bare), (one, other) => one / other);
  const row = (name: string, rounds: number[][]) => [
    name,
    inMs(typical(rounds)),
    inMs(quantile(rounds.flat(), 0.99)),
    ...(rounds === direct ? ["", ""] : [inMs(median(added(rounds))), asRatio(ratio(rounds))]),
  ];
  printTable(`Streamed chat until its first delta, the model's reply begins after ${delayMs} ms`, [
    ["", "p50 ms", "p99 ms", "added ms", "to bare"],
    row("the model itself", direct),
    row("bare Worker", bare),
    row("Parley", parley),
  ]);
}
