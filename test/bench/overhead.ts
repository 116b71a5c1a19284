import { HttpClient } from "./http-client.ts";
import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, quantile } from "./statistics.ts";

/** How many prompts are under way at a time. */
const AT_A_TIME = [1, 16];

/** How long the model takes to begin its reply, in milliseconds. */
const DELAY_MS = 50;

const ROUNDS = 6;

/** Prompts of one caller in a round, to a session of its own; the first wakes it and is not counted. */
const PROMPTS = 6;

const PROMPT = "Which of the two is the better answer?";

type Subject = "direct" | "parley";

/** What a prompt to one endpoint takes beyond the call that its caller could have made directly. */
export async function overhead({ parley, upstream }: Servers): Promise<Finding[]> {
  const baseUri = upstream.baseUri(DELAY_MS);
  const endpoint = await createEndpoint(parleyClient(parley.origin), "overhead", baseUri);
  const rows: string[][] = [];
  for (const callers of AT_A_TIME) {
    const toModel = new HttpClient(baseUri, {}, callers);
    const toParley = parleyClient(parley.origin, callers);
    const asked = { model: "bench", stream: true, messages: [{ role: "user", content: PROMPT }] };
    const measured = await interleave(ROUNDS, {
      direct: () => atOnce(callers, async () => () => toModel.post("/chat/completions", asked)),
      parley: () =>
        atOnce(callers, async () => {
          const session = await createComparison(toParley, "overhead", [endpoint]);
          return () => toParley.post(`/v1/sessions/${session}/prompt`, { prompt: PROMPT });
        }),
    });
    toModel.close();
    toParley.close();
    rows.push(...rowsOf(callers, measured));
  }
  printTable(`A prompt to one endpoint, whose reply begins after ${DELAY_MS} ms`, [
    ["at a time", "", "p50 ms", "p99 ms", "added p50", "added p99"],
    ...rows,
  ]);
  return [];
}

/** Callers who ask one after another, all at the same time. @param open makes one ready to ask */
async function atOnce(callers: number, open: () => Promise<() => Promise<{ ms: number }>>): Promise<number[]> {
  const ready = await Promise.all(Array.from({ length: callers }, open));
  await Promise.all(ready.map((ask) => ask()));
  const took = ready.map(async (ask) => {
    const times: number[] = [];
    for (let prompt = 1; prompt < PROMPTS; prompt++) times.push((await ask()).ms);
    return times;
  });
  return (await Promise.all(took)).flat();
}

function rowsOf(callers: number, { direct, parley }: Rounds<Subject, number[]>): string[][] {
  const [itself, ours] = [quantiles(direct), quantiles(parley)];
  const added = ours.map((ms, at) => ms - (itself[at] ?? 0));
  return [
    [`${callers}`, "the call itself", ...itself.map(inMs), "", ""],
    [`${callers}`, "Parley", ...[...ours, ...added].map(inMs)],
  ];
}

const quantiles = (rounds: number[][]): number[] => [0.5, 0.99].map((q) => quantile(rounds.flat(), q));
