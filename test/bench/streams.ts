/** Part `streams`: the time that a streamed chat adds until the first words of the reply arrive. */
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, median, medianOfPairs, quantile, typical } from "./statistics.ts";
import { FIRST_DELTA } from "./upstream.ts";

/** Times until the model begins its reply. */
const DELAYS_MS = [0, 50];

const ROUNDS = 12;

/** Measured turns per session, after one that loads the session. Each round has new sessions. */
const TURNS = 8;

/** Is in a stream of Parley from the first delta on. */
const PARLEY_DELTA = "event: reply-delta\n";

type Subject = "direct" | "bare" | "parley";

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
  const request = { model: "bench", stream: true, messages: [{ role: "user", content: MESSAGE_TEXT }] };
  const events = { accept: "text/event-stream" };
  const measured = await interleave(ROUNDS, {
    direct: () => measureTurns(() => toModel.postUntil(FIRST_DELTA, "/chat/completions", request)),
    bare: () => {
      const path = `/stream?conversation=${crypto.randomUUID()}`;
      return measureTurns(() => toBare.postUntil(FIRST_DELTA, path, { content: MESSAGE_TEXT, upstream: baseUri }));
    },
    parley: async () => {
      const path = chatPath(await createSession());
      return measureTurns(() => toParley.postUntil(PARLEY_DELTA, path, { content: MESSAGE_TEXT }, events));
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}

/** Runs each turn to its end. @returns the times to the first delta */
async function measureTurns(runTurn: () => Promise<number>): Promise<number[]> {
  await runTurn();
  const timesMs: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) timesMs.push(await runTurn());
  return timesMs;
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
