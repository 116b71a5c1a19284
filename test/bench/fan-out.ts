/** Part `fan-out`: the time of one prompt to many endpoints at once. */
import { compare, p50, printComparison } from "./comparison.ts";
import type { Call } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";
import { median } from "./statistics.ts";

/** Time until each endpoint begins its reply. */
const DELAY_MS = 200;

/** How many endpoints, and how many times their own time the prompt may take. */
const TARGETS = [
  { count: 1, atMost: 1.04 },
  { count: 8, atMost: 1.06 },
  { count: 32, atMost: 1.11 },
  { count: 64, atMost: 1.17 },
];

/** Few prompts to a session, so that its history stays short. */
const LOAD = { rounds: 6, callers: 1, calls: 3 };

const PROMPT = "Which is the best?";

export async function fanOut(servers: Servers): Promise<Finding[]> {
  const toParley = parleyClient(servers.parley.origin);
  const toBare = new HttpClient(servers.bare.origin);
  const upstream = servers.upstream.baseUri(DELAY_MS);
  const endpoints: string[] = [];
  for (let nth = 1; nth <= Math.max(...TARGETS.map(({ count }) => count)); nth++) {
    endpoints.push(await createEndpoint(toParley, `fan-out-${nth}`, upstream));
  }
  const findings: Finding[] = [];
  for (const { count, atMost } of TARGETS) {
    const measured = await compare(LOAD, {
      bare: {
        server: servers.bare,
        open: async () => {
          const path = `/fan-out?conversation=${crypto.randomUUID()}`;
          return async () => (await toBare.post(path, { content: PROMPT, upstream, endpoints: count })).ms;
        },
      },
      parley: { server: servers.parley, open: () => openSession(toParley, endpoints.slice(0, count)) },
    });
    printComparison(`Fan-out to ${count} endpoints of ${DELAY_MS} ms`, measured, "bare", {
      bare: "bare Worker",
      parley: "Parley",
    });
    const value = median(measured.parley.map(p50)) / DELAY_MS;
    findings.push({ measure: `fan-out to ${count} of ${DELAY_MS} ms`, value, unit: "x", target: { atMost } });
  }
  toParley.close();
  toBare.close();
  return findings;
}

/** Creates a comparison session. @returns sends it a prompt */
export async function openSession(parley: HttpClient, endpoints: string[]): Promise<Call> {
  const session = await createComparison(parley, `fan-out to ${endpoints.length}`, endpoints);
  return async () => {
    const { ms, text } = await parley.post(`/v1/sessions/${session}/prompt`, { prompt: PROMPT });
    if (text.includes('"status":"error"')) throw new Error(`An endpoint failed: ${text}`);
    return ms;
  };
}
