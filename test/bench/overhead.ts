/** Part `overhead`: the time that a prompt to one endpoint takes beyond the same call without Parley. */
import { compare, printComparison } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { createComparison, createEndpoint, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";

const LOADS = [
  { rounds: 6, callers: 1, calls: 6 },
  { rounds: 6, callers: 16, calls: 6 },
];

/** Time until the model begins its reply. */
const DELAY_MS = 50;

const PROMPT = "Which of the two is the better answer?";

export async function overhead({ parley, upstream }: Servers): Promise<Finding[]> {
  const baseUri = upstream.baseUri(DELAY_MS);
  const endpoint = await createEndpoint(parleyClient(parley.origin), "overhead", baseUri);
  for (const load of LOADS) {
    const toModel = new HttpClient(baseUri, {}, load.callers);
    const toParley = parleyClient(parley.origin, load.callers);
    const request = { model: "bench", stream: true, messages: [{ role: "user", content: PROMPT }] };
    const measured = await compare(load, {
      direct: { server: null, open: async () => async () => (await toModel.post("/chat/completions", request)).ms },
      parley: {
        server: parley,
        open: async () => {
          const session = await createComparison(toParley, "overhead", [endpoint]);
          return async () => (await toParley.post(`/v1/sessions/${session}/prompt`, { prompt: PROMPT })).ms;
        },
      },
    });
    printComparison(`A prompt to one endpoint of ${DELAY_MS} ms, ${load.callers} at a time`, measured, "direct", {
      direct: "the call itself",
      parley: "Parley",
    });
    toModel.close();
    toParley.close();
  }
  return [];
}
