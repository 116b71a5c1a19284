import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { interleave, quantile, typical } from "./statistics.ts";

/** How long each endpoint takes to begin its reply, in milliseconds. */
const DELAY_MS = 200;

/** How many endpoints there are at most, and how many the target is for. */
const ENDPOINTS = 64;
const TARGET = 32;
const ROUNDS = 5;

/** Prompts put to one session, the first of which wakes it; few, so that its history stays short. */
const PROMPTS = 3;

/** What it takes to put one prompt to many endpoints at once. */
export async function fanOut({ parley, upstream }: Servers): Promise<Finding[]> {
  const toParley = parleyClient(parley.origin);
  const endpoints: string[] = [];
  for (let nth = 1; nth <= ENDPOINTS; nth++) {
    endpoints.push(await createEndpoint(toParley, `fan-out-${nth}`, upstream.baseUri(DELAY_MS)));
  }
  const compare = (count: number) => async () => {
    const session = await createComparison(toParley, `fan-out to ${count}`, endpoints.slice(0, count));
    const took: number[] = [];
    for (let prompt = 0; prompt < PROMPTS; prompt++) {
      const { ms, text } = await toParley.post(`/v1/sessions/${session}/prompt`, { prompt: "Which is the best?" });
      if (text.includes('"status":"error"')) throw new Error(`An endpoint failed: ${text}`);
      took.push(ms);
    }
    return took;
  };
  const measured = await interleave(ROUNDS, {
    one: compare(1),
    eight: compare(8),
    target: compare(TARGET),
    all: compare(ENDPOINTS),
  });
  toParley.close();
  return report(measured);
}

function report({ one, eight, target, all }: Record<"one" | "eight" | "target" | "all", number[][]>): Finding[] {
  const row = (name: string, rounds: number[][]) => [
    name,
    inMs(typical(rounds)),
    inMs(quantile(rounds.flat(), 1)),
    inMs(typical(rounds) - DELAY_MS),
  ];
  printTable(`Fan-out, each endpoint's reply begins after ${DELAY_MS} ms`, [
    ["endpoints", "p50 ms", "max ms", `over ${DELAY_MS} ms`],
    row("1", one),
    row("8", eight),
    row(`${TARGET}`, target),
    row(`${ENDPOINTS}`, all),
  ]);
  return [
    {
      measure: `fan-out to ${TARGET} of ${DELAY_MS} ms`,
      value: typical(target),
      unit: " ms",
      target: { atMost: 300 },
    },
  ];
}
