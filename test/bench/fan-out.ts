/** Part `fan-out`: the time of one prompt to many endpoints at once. */
import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import { interleave, quantile, typical } from "./statistics.ts";

/** Time until each endpoint begins its reply. */
const DELAY_MS = 200;

/** The largest number of endpoints. */
const ENDPOINTS = 64;

/** The number of endpoints that the target is for. */
const TARGET = 32;

const ROUNDS = 5;

/** Prompts per session. Few, so that its history stays short. The first loads the session. */
const PROMPTS = 3;

export async function fanOut({ parley, upstream }: Servers): Promise<Finding[]> {
  const toParley = parleyClient(parley.origin);
  const endpoints: string[] = [];
  for (let nth = 1; nth <= ENDPOINTS; nth++) {
    endpoints.push(await createEndpoint(toParley, `fan-out-${nth}`, upstream.baseUri(DELAY_MS)));
  }
  const measurePrompts = (count: number) => async () => {
    const session = await createComparison(toParley, `fan-out to ${count}`, endpoints.slice(0, count));
    const timesMs: number[] = [];
    for (let prompt = 0; prompt < PROMPTS; prompt++) {
      const { ms, text } = await toParley.post(`/v1/sessions/${session}/prompt`, { prompt: "Which is the best?" });
      if (text.includes('"status":"error"')) throw new Error(`An endpoint failed: ${text}`);
      timesMs.push(ms);
    }
    return timesMs;
  };
  const measured = await interleave(ROUNDS, {
    one: measurePrompts(1),
    eight: measurePrompts(8),
    target: measurePrompts(TARGET),
    all: measurePrompts(ENDPOINTS),
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
