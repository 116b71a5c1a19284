/** Part `overhead`: the time that a prompt to one endpoint takes beyond the same call without Parley. */
import { HttpClient } from "./http-client.ts";
import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, quantile } from "./statistics.ts";

/** Prompts at the same time. */
const CONCURRENCY = [1, 16];

/** Time until the model begins its reply. */
const DELAY_MS = 50;

const ROUNDS = 6;

/** Prompts of one caller per round, to a session of its own. The first loads the session and does not count. */
const PROMPTS = 6;

const PROMPT = "Which of the two is the better answer?";

type Subject = "direct" | "parley";

export async function overhead({ parley, upstream }: Servers): Promise<Finding[]> {
  const baseUri = upstream.baseUri(DELAY_MS);
  const endpoint = await createEndpoint(parleyClient(parley.origin), "overhead", baseUri);
  const rows: string[][] = [];
  for (const callers of CONCURRENCY) {
    const toModel = new HttpClient(baseUri, {}, callers);
    const toParley = parleyClient(parley.origin, callers);
    const request = { model: "bench", stream: true, messages: [{ role: "user", content: PROMPT }] };
    const measured = await interleave(ROUNDS, {
      direct: () => measurePrompts(callers, async () => () => toModel.post("/chat/completions", request)),
      parley: () =>
        measurePrompts(callers, async () => {
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

/** Runs callers at the same time, each with one prompt after the other. @param open prepares a caller */
async function measurePrompts(callers: number, open: () => Promise<() => Promise<{ ms: number }>>): Promise<number[]> {
  const prepared = await Promise.all(Array.from({ length: callers }, open));
  await Promise.all(prepared.map((sendPrompt) => sendPrompt()));
  const timesMs = prepared.map(async (sendPrompt) => {
    const times: number[] = [];
    for (let prompt = 1; prompt < PROMPTS; prompt++) times.push((await sendPrompt()).ms);
    return times;
  });
  return (await Promise.all(timesMs)).flat();
}

function rowsOf(callers: number, { direct, parley }: Rounds<Subject, number[]>): string[][] {
  const [directMs, parleyMs] = [quantiles(direct), quantiles(parley)];
  const added = parleyMs.map((ms, at) => ms - (directMs[at] ?? 0));
  return [
    [`${callers}`, "the call itself", ...directMs.map(inMs), "", ""],
    [`${callers}`, "Parley", ...[...parleyMs, ...added].map(inMs)],
  ];
}

const quantiles = (rounds: number[][]): number[] => [0.5, 0.99].map((q) => quantile(rounds.flat(), q));
