/** Part `reads`: a session that its object holds, as one answer. */
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, appendMessage, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";

/** Lengths of the sessions in messages, and how many times the bare Worker's time an answer may take. */
const TARGETS = [
  { messages: 10, target: 2 },
  { messages: 1_000, target: 1.6 },
];

const LOAD = { rounds: 10, callers: 1, calls: 60 };

const MESSAGE = { role: "user", content: MESSAGE_TEXT };

export async function reads({ parley, bare, upstream }: Servers): Promise<Finding[]> {
  const toBare = new HttpClient(bare.origin);
  const toParley = parleyClient(parley.origin);
  const createSession = await createSessionMaker(
    toParley,
    await createEndpoint(toParley, "reads", upstream.baseUri(0)),
  );
  const findings: Finding[] = [];
  for (const { messages, target } of TARGETS) {
    const session = await createSession();
    for (let nth = 0; nth < messages; nth++) {
      await toBare.post(`/append?conversation=${session}`, MESSAGE);
      await appendMessage(toParley, session);
    }
    const measured = await compare(LOAD, {
      bare: { server: bare, open: async () => async () => (await toBare.get(`/read?conversation=${session}`)).ms },
      parley: { server: parley, open: async () => async () => (await toParley.get(`/sessions/${session}`)).ms },
    });
    printComparison(`GET a session of ${messages} messages`, measured, "bare", {
      bare: "bare Worker",
      parley: "Parley",
    });
    findings.push(atMost(`GET, ${messages} messages`, ratio(p50, measured.parley, measured.bare), target));
  }
  toBare.close();
  toParley.close();
  return findings;
}
