/** Part `long-sessions`: a turn of a chatbot with `context` in a long session, beside one in a short session. */
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import type { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, appendMessage, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";

const SHORT = 50;
const LONG = 10_000;

/** Messages fill it before there are as many as in the short session, so both turns send the same. */
const CONTEXT = { maxTokens: 500, keep: "newest" } as const;

const LOAD = { rounds: 16, callers: 1, calls: 24 };

const NAMES = { short: `after ${SHORT} messages`, long: `after ${LONG} messages` };

export async function longSessions({ parley, upstream }: Servers): Promise<Finding[]> {
  const client = parleyClient(parley.origin);
  const endpoint = await createEndpoint(client, "long-sessions", upstream.baseUri(0));
  const createSession = await createSessionMaker(client, endpoint, { historyLimit: 1_000, context: CONTEXT });
  const createLog = async (messages: number): Promise<string> => {
    const session = await createSession();
    for (let nth = 0; nth < messages; nth++) await append(client, session, nth);
    return session;
  };
  const longSession = await createLog(LONG);
  const chatIn = (session: string) => async () => (await sendChat(client, session)).ms;
  const measured = await compare(LOAD, {
    short: { server: parley, open: async () => chatIn(await createLog(SHORT)) },
    long: { server: parley, open: async () => chatIn(longSession) },
  });
  client.close();
  printComparison("A turn within a chatbot's context", measured, "short", NAMES);
  return [atMost("turn in a long session", ratio(p50, measured.long, measured.short), 1.1)];
}

const append = (client: HttpClient, session: string, nth: number) =>
  appendMessage(client, session, { role: nth % 2 === 0 ? "user" : "assistant", content: MESSAGE_TEXT });
