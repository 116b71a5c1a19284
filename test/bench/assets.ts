/**
 * Part `assets`: what static assets cost the calls of the API: the same bundle in the same runtime, without them, with them as
 * `wrangler.toml` says, and with them as if `run_worker_first` listed no path. And the same for the bare Worker, with Parley's assets.
 *
 * With assets the local runtime puts two Workers before ours: a proxy, which no deployment has, and the router of assets. The
 * platform has a router of its own before a Worker with assets. So the first ratio is what assets cost under `wrangler dev`, and no
 * figure of a deployment. The second compares the milliseconds that they add with those that they add to the bare Worker: what is
 * beyond that is Parley's. The subject with every path looked up shows that the paths of the API are not.
 */
import type { Call, Load, Round, Subject } from "./comparison.ts";
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import { inMs } from "./report.ts";
import type { BundleSetup } from "./runtime.ts";
import type { Built } from "./servers.ts";
import { copyState, serveBare, serveParley } from "./servers.ts";
import { medianOfPairs } from "./statistics.ts";
import type { Rounds } from "./statistics.ts";
import { startUpstream } from "./upstream.ts";
import type { Server } from "./wrangler.ts";

/** How a call may compare with the same call to a Worker without assets. */
const TARGET = 1.02;

/** How many times the milliseconds may be added to a call that are added to the bare Worker's. */
const ADDED_TARGET = 1.2;

const NAMES = {
  without: "without assets",
  listed: "with assets, as in wrangler.toml",
  lookedUp: "with assets, every path looked up first",
  bareWithout: "bare Worker, without assets",
  bareListed: "bare Worker, with assets, as in wrangler.toml",
};

type Name = keyof typeof NAMES;

const isBare = (name: string): boolean => name.startsWith("bare");

/** Prepares calls to a server. @returns opens a caller */
type Prepare = (client: HttpClient, modelUri: string) => Promise<() => Promise<Call>>;

interface Compared {
  call: string;
  toParley: Prepare;
  toBare: Prepare;
  load: Load;
}

const get =
  (path: string): Prepare =>
  async (client) =>
  async () =>
  async () =>
    (await client.get(path)).ms;

const chat: Prepare = async (parley, modelUri) => {
  const createSession = await createSessionMaker(parley, await createEndpoint(parley, "assets", modelUri));
  return async () => {
    const session = await createSession();
    return async () => (await sendChat(parley, session)).ms;
  };
};

const bareChat: Prepare = async (bare, upstream) => async () => {
  const path = `/sessions/chat?conversation=${crypto.randomUUID()}`;
  return async () => (await bare.post(path, { content: MESSAGE_TEXT, upstream })).ms;
};

const SHORT_CALLS = { rounds: 20, callers: 1, calls: 100 };

const CALLS: Compared[] = [
  { call: "GET /healthz", toParley: get("/healthz"), toBare: get("/healthz"), load: SHORT_CALLS },
  { call: "GET /me", toParley: get("/me"), toBare: get("/me"), load: SHORT_CALLS },
  { call: "chat, a model of 0 ms", toParley: chat, toBare: bareChat, load: { rounds: 50, callers: 1, calls: 25 } },
];

export async function assets(built: Built): Promise<Finding[]> {
  const serve = (name: Name, served: Pick<BundleSetup, "assets">) =>
    isBare(name)
      ? serveBare(built, copyState(built.bare.empty, `assets-${name}`), served)
      : serveParley(built, copyState(built.parley.empty, `assets-${name}`), {}, served);
  const servers: Record<Name, Server> = {
    without: await serve("without", {}),
    listed: await serve("listed", { assets: "as-configured" }),
    lookedUp: await serve("lookedUp", { assets: "all-looked-up" }),
    bareWithout: await serve("bareWithout", {}),
    bareListed: await serve("bareListed", { assets: "as-configured" }),
  };
  const upstream = await startUpstream();
  const findings: Finding[] = [];
  for (const compared of CALLS) findings.push(...(await measureCall(servers, compared, upstream.baseUri(0))));
  upstream.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  return findings;
}

async function measureCall(
  servers: Record<Name, Server>,
  { call, toParley, toBare, load }: Compared,
  modelUri: string,
): Promise<Finding[]> {
  const clients: HttpClient[] = [];
  const subjectOf = async ([name, server]: [string, Server]): Promise<[string, Subject]> => {
    const client = isBare(name) ? new HttpClient(server.origin) : parleyClient(server.origin);
    clients.push(client);
    return [name, { server, open: await (isBare(name) ? toBare : toParley)(client, modelUri) }];
  };
  const subjects = await Promise.all(Object.entries(servers).map(subjectOf));
  const measured = await compare(load, Object.fromEntries(subjects) as Record<Name, Subject>);
  for (const client of clients) client.close();
  printComparison(`Static assets: ${call}`, measured, "without", NAMES);
  const added = addedMs(measured);
  console.info(`  Assets add ${inMs(added.parley)} ms to Parley, ${inMs(added.bare)} ms to the bare Worker`);
  return [
    atMost(`${call}, p50 with assets`, ratio(p50, measured.listed, measured.without), TARGET),
    atMost(`${call}, ms that assets add, to bare`, added.parley / added.bare, ADDED_TARGET),
  ];
}

/** What assets add to a call at p50. */
function addedMs({ without, listed, bareWithout, bareListed }: Rounds<Name, Round>): { parley: number; bare: number } {
  const difference = (one: Round, other: Round) => p50(one) - p50(other);
  return {
    parley: medianOfPairs(listed, without, difference),
    bare: medianOfPairs(bareListed, bareWithout, difference),
  };
}
