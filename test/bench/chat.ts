/** Part `chat`: the time that a chat adds to that of the model. */
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, median, medianOfPairs, quantile, typical } from "./statistics.ts";

/** Times until the model begins its reply. */
const DELAYS_MS = [0, 50];

const ROUNDS = 24;

/** Measured turns per session, after one that loads the session. Each round has new sessions. */
const TURNS = 8;

/** Rounds that do not count: code that has run only a few times is slower than code in daily use. */
const WARM_UP_ROUNDS = 50;

type Subject = "direct" | "bare" | "parley";

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
  const request = { model: "bench", stream: true, messages: [{ role: "user", content: MESSAGE_TEXT }] };
  const measured = await interleave(rounds, {
    direct: () => measureTurns(() => toModel.post("/chat/completions", request)),
    bare: () => {
      const path = `/chat?conversation=${crypto.randomUUID()}`;
      return measureTurns(() => toBare.post(path, { content: MESSAGE_TEXT, upstream: baseUri }));
    },
    parley: async () => {
      const path = chatPath(await createSession());
      return measureTurns(() => toParley.post(path, { content: MESSAGE_TEXT }));
    },
  });
  for (const client of [toModel, toBare, toParley]) client.close();
  return measured;
}

async function measureTurns(runTurn: () => Promise<{ ms: number }>): Promise<number[]> {
  await runTurn();
  const timesMs: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) timesMs.push((await runTurn()).ms);
  return timesMs;
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
