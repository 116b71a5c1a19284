/** Part `runs`: how long runs and replays take, by the time that endpoints and their limits make them take. */
import { setTimeout as sleep } from "node:timers/promises";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import type { HttpClient } from "./http-client.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";

/** How many times the least time a run and a replay may take. */
const RUN_AT_MOST = 1.2;
const REPLAY_AT_MOST = 1.15;

/** Time until an endpoint begins its reply. */
const DELAY_MS = 200;

/** How often the state of a run is read, in milliseconds. */
const POLL_MS = 20;

/** A run that something bounds. */
interface Bounded {
  bound: string;
  /** Of its endpoints. */
  limits: object;
  endpoints: number;
  items: number;
  concurrency: number;
  /** The least time that it can take. */
  leastMs: number;
}

const RUNS: Bounded[] = [
  // 200 calls, 8 at once.
  {
    bound: "max_concurrency 8",
    limits: { max_concurrency: 8 },
    endpoints: 1,
    items: 200,
    concurrency: 32,
    leastMs: 5_000,
  },
  { bound: "its concurrency 8", limits: {}, endpoints: 4, items: 200, concurrency: 8, leastMs: 5_000 },
  // The first 20 at once, and the last of them as long as any.
  {
    bound: "max_calls_per_second 20",
    limits: { max_calls_per_second: 20 },
    endpoints: 1,
    items: 200,
    concurrency: 64,
    leastMs: 9_000 + DELAY_MS,
  },
];

const REPLAY = { turns: 20, endpoints: 8 };

export async function runs(servers: Servers): Promise<Finding[]> {
  const parley = parleyClient(servers.parley.origin);
  const measured: { what: string; ms: number; leastMs: number; atMost: number }[] = [];
  for (const [nth, bounded] of RUNS.entries()) {
    const uri = servers.upstream.baseUri(DELAY_MS);
    const endpoints = await createEndpoints(parley, `runs-${nth}`, bounded.endpoints, () => uri, bounded.limits);
    const { bound, leastMs } = bounded;
    measured.push({
      what: `run bound by ${bound}`,
      ms: await runMs(parley, endpoints, bounded),
      leastMs,
      atMost: RUN_AT_MOST,
    });
  }
  measured.push({ ...(await replayMs(servers, parley)), atMost: REPLAY_AT_MOST });
  parley.close();
  printTable("Runs and replays", [
    ["", "ms", "least ms", "ratio"],
    ...measured.map(({ what, ms, leastMs }) => [what, inMs(ms), inMs(leastMs), asRatio(ms / leastMs)]),
  ]);
  return measured.map(({ what, ms, leastMs, atMost }) => ({
    measure: `${what}, of the least time`,
    value: ms / leastMs,
    unit: "x",
    target: { atMost },
  }));
}

async function createEndpoints(
  parley: HttpClient,
  name: string,
  count: number,
  uriOf: (nth: number) => string,
  limits: object = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let nth = 1; nth <= count; nth++) ids.push(await createEndpoint(parley, `${name}-${nth}`, uriOf(nth), limits));
  return ids;
}

/** Starts a run, and waits until it is complete. */
async function runMs(parley: HttpClient, endpoints: string[], { items, concurrency }: Bounded): Promise<number> {
  const body = {
    name: "bench",
    endpoints,
    concurrency,
    items: Array.from({ length: items }, (_, index) => ({ prompt: `${MESSAGE_TEXT} ${index}` })),
  };
  const started = performance.now();
  const { text } = await parley.post("/v1/runs", body);
  const { run_id: id } = (JSON.parse(text) as { run: { run_id: string } }).run;
  for (;;) {
    const answer = await parley.get(`/v1/runs/${id}`);
    const { run } = JSON.parse(answer.text) as { run: { status: string; progress: { errors: number } } };
    if (run.progress.errors > 0) throw new Error(`A run failed: ${answer.text}`);
    if (run.status !== "running") return performance.now() - started;
    await sleep(POLL_MS);
  }
}

/** Replays a chat at endpoints of unlike speed: each turn takes as long as the slowest one. */
async function replayMs(servers: Servers, parley: HttpClient): Promise<{ what: string; ms: number; leastMs: number }> {
  const { turns, endpoints: count } = REPLAY;
  const recorder = await createEndpoint(parley, "runs-recorder", servers.upstream.baseUri(0));
  const chat = await (await createSessionMaker(parley, recorder))();
  for (let turn = 0; turn < turns; turn++) await parley.post(chatPath(chat), { content: `${MESSAGE_TEXT} ${turn}` });
  const delayOf = (nth: number) => (DELAY_MS * nth) / count;
  const endpoints = await createEndpoints(parley, "replay", count, (nth) => servers.upstream.baseUri(delayOf(nth)));
  const { text } = await parley.post("/v1/sessions", { name: "replay", endpoints, from_session: chat });
  const { session_id: id } = (JSON.parse(text) as { session: { session_id: string } }).session;
  const replayed = await parley.post(`/v1/sessions/${id}/replay`, {});
  if (replayed.text.includes('"status":"error"')) throw new Error("An endpoint failed");
  return { what: `replay of ${turns} turns at ${count} endpoints`, ms: replayed.ms, leastMs: turns * DELAY_MS };
}
