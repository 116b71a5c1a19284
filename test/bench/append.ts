/** Part `append`: what one message costs: one caller, many callers with a session each, and many with one session. */
import type { Round } from "./comparison.ts";
import { atLeast, atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, WITHOUT_LOG, createEndpoint, createSessionMaker, messagePath, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";
import { median } from "./statistics.ts";
import type { Rounds } from "./statistics.ts";

const ONE_CALLER = { rounds: 10, callers: 1, calls: 100 };

/** Each session grows to about 30 messages in a round. */
const MANY_CALLERS = { rounds: 6, callers: 64, calls: 30 };

const ONE_SESSION = { rounds: 4, callers: 16, calls: 60 };

const MESSAGE = { role: "user", content: MESSAGE_TEXT };

const NAMES = {
  empty: "an answer without any work",
  bare: "bare Worker",
  minimal: "Parley, Prefer: return=minimal (as the bare Worker, no log in the answer)",
  whole: "Parley, the session in the answer",
};

export async function append(servers: Servers): Promise<Finding[]> {
  const one = await measure(servers, ONE_CALLER, newSession);
  printComparison("Append, one caller at a time", one, "bare", NAMES);
  const many = await measure(servers, MANY_CALLERS, newSession);
  printComparison("Append, 64 callers with a session each", many, "bare", NAMES);
  const toOne = await measure(servers, ONE_SESSION, sameSession);
  const { whole: _, ...names } = NAMES;
  printComparison("Append, 16 callers to one session", toOne, "bare", names);
  return [
    atMost("append, one caller", ratio(p50, one.minimal, one.bare), 1.25),
    atLeast(
      "append rate, 64 at once",
      ratio(({ rate }) => rate, many.minimal, many.bare),
      0.9,
    ),
    {
      measure: "appends a second to one session",
      value: median(toOne.minimal.map(({ rate }) => rate)),
      unit: " /s",
      target: { atLeast: 400 },
    },
  ];
}

/** @returns which session an append goes to */
type Choose = (create: () => Promise<string>) => () => Promise<string>;

const newSession: Choose = (create) => create;

const sameSession: Choose = (create) => {
  const created = create();
  return () => created;
};

async function measure(
  { parley, bare, upstream }: Servers,
  load: { rounds: number; callers: number; calls: number },
  choose: Choose,
): Promise<Rounds<keyof typeof NAMES, Round>> {
  const toBare = new HttpClient(bare.origin, {}, load.callers);
  const toParley = parleyClient(parley.origin, load.callers);
  const endpoint = await createEndpoint(toParley, `append-${load.callers}`, upstream.baseUri(0));
  const create = await createSessionMaker(toParley, endpoint);
  const [bareSession, minimalSession, wholeSession] = [
    choose(async () => crypto.randomUUID()),
    choose(create),
    choose(create),
  ];
  const parleyAppend = (session: () => Promise<string>, headers: Record<string, string>) => async () => {
    const path = messagePath(await session());
    return async () => (await toParley.post(path, { message: MESSAGE }, headers)).ms;
  };
  const measured = await compare(load, {
    empty: { server: bare, open: async () => async () => (await toBare.post("/", MESSAGE)).ms },
    bare: {
      server: bare,
      open: async () => {
        const path = `/append?conversation=${await bareSession()}`;
        return async () => (await toBare.post(path, MESSAGE)).ms;
      },
    },
    minimal: { server: parley, open: parleyAppend(minimalSession, WITHOUT_LOG) },
    whole: { server: parley, open: parleyAppend(wholeSession, {}) },
  });
  toBare.close();
  toParley.close();
  return measured;
}
