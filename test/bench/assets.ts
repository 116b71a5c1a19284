/**
 * Part `assets`: what static assets cost the calls of the API: the same bundle in the same runtime, without them, with them as
 * `wrangler.toml` says, and with them as if `run_worker_first` listed no path.
 *
 * With assets the local runtime puts two Workers before ours: a proxy, which no deployment has, and the router of assets. The
 * platform has a router of its own before a Worker with assets. So the first ratio is what assets cost under `wrangler dev`, and no
 * figure of a deployment. The second shows that the paths of the API are not looked up among the assets.
 */
import type { Call, Load, Round, Subject } from "./comparison.ts";
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import type { HttpClient } from "./http-client.ts";
import { createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { BundleSetup } from "./runtime.ts";
import type { Built } from "./servers.ts";
import { copyState, serveParley } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Rounds } from "./statistics.ts";
import type { Server } from "./wrangler.ts";

/** How a call may compare with the same call to a Worker without assets. */
const TARGET = 1.02;

const NAMES = {
  without: "without assets",
  listed: "with assets, as in wrangler.toml",
  lookedUp: "with assets, every path looked up first",
};

type Name = keyof typeof NAMES;

/** Prepares calls to a server. @returns opens a caller */
type Prepare = (parley: HttpClient, modelUri: string) => Promise<() => Promise<Call>>;

const get =
  (path: string): Prepare =>
  async (parley) =>
  async () =>
  async () =>
    (await parley.get(path)).ms;

const chat: Prepare = async (parley, modelUri) => {
  const createSession = await createSessionMaker(parley, await createEndpoint(parley, "assets", modelUri));
  return async () => {
    const session = await createSession();
    return async () => (await sendChat(parley, session)).ms;
  };
};

const CALLS: { call: string; prepare: Prepare; load: Load }[] = [
  { call: "GET /healthz", prepare: get("/healthz"), load: { rounds: 18, callers: 1, calls: 100 } },
  { call: "GET /me", prepare: get("/me"), load: { rounds: 18, callers: 1, calls: 100 } },
  { call: "chat, a model of 0 ms", prepare: chat, load: { rounds: 18, callers: 1, calls: 25 } },
];

export async function assets(built: Built): Promise<Finding[]> {
  const serve = (name: Name, served: Pick<BundleSetup, "assets">) =>
    serveParley(built, copyState(built.parley.empty, `assets-${name}`), {}, served);
  const servers: Record<Name, Server> = {
    without: await serve("without", {}),
    listed: await serve("listed", { assets: "as-configured" }),
    lookedUp: await serve("lookedUp", { assets: "all-looked-up" }),
  };
  const upstream = await startUpstream();
  const findings: Finding[] = [];
  for (const { call, prepare, load } of CALLS) {
    const measured = await measure(servers, load, (parley) => prepare(parley, upstream.baseUri(0)));
    printComparison(`Static assets: ${call}`, measured, "without", NAMES);
    findings.push(atMost(`${call}, p50 with assets`, ratio(p50, measured.listed, measured.without), TARGET));
  }
  upstream.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  return findings;
}

async function measure(
  servers: Record<Name, Server>,
  load: Load,
  prepare: (parley: HttpClient) => Promise<() => Promise<Call>>,
): Promise<Rounds<Name, Round>> {
  const clients: HttpClient[] = [];
  const subjectOf = async (server: Server): Promise<Subject> => {
    const parley = parleyClient(server.origin);
    clients.push(parley);
    return { server, open: await prepare(parley) };
  };
  const measured = await compare(load, {
    without: await subjectOf(servers.without),
    listed: await subjectOf(servers.listed),
    lookedUp: await subjectOf(servers.lookedUp),
  });
  for (const client of clients) client.close();
  return measured;
}
